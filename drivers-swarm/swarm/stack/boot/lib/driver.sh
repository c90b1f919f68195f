# shellcheck shell=sh
# Managers serve the API to the cluster and its users; of a worker it is the
# worker's own.
daemon_options() {
    engine_labels
    if [ "$(param role)" = master ]; then
        engine_serves
    fi
}
