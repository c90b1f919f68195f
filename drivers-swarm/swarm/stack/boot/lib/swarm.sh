# shellcheck shell=sh
# The swarm: who is in it, and how a node comes in. Tokens go from one engine to
# the other through files of root, never through a program's arguments.

# state: what the engine says of its swarm: inactive, pending, active or error.
state() {
    docker info --format '{{.Swarm.LocalNodeState}}'
}

# join_as Manager|Worker: through the first other manager that has a swarm.
# Returns 1 if none has, so that the caller can try again.
join_as() {
    now=$(state) || return 1
    case $now in
    active) return 0 ;;
    pending) return 1 ;; # the engine goes on trying by itself
    error) docker swarm leave --force || return 1 ;;
    esac
    work=$(mktemp -d "${TMPDIR:-/tmp}/magnum.XXXXXX") || return 1
    for one in $(param master_addresses); do
        if [ "$one" = "$(param address)" ]; then
            continue
        fi
        token=
        if ask "$one:2375" /swarm >"$work/swarm.json"; then
            token=$(sed -n 's/.*"'"$1"'": *"\(SWMTKN-[^"]*\)".*/\1/p' "$work/swarm.json")
        fi
        if [ -n "$token" ] && enter "$one"; then
            rm -rf "$work"
            return 0
        fi
    done
    rm -rf "$work"
    return 1
}

# enter ADDRESS: the swarm of a manager, with its token. The engine is asked by
# its socket, because its client takes the token as an argument only.
enter() {
    printf '{"ListenAddr": "0.0.0.0:2377", "AdvertiseAddr": "%s", "RemoteAddrs": ["%s:2377"], "JoinToken": "%s"}' \
        "$(param address)" "$1" "$token" >"$work/join.json"
    code=$(curl --silent --show-error --noproxy '*' --max-time 90 --unix-socket /var/run/docker.sock \
        --header 'Content-Type: application/json' --data-binary "@$work/join.json" \
        --output "$work/answer" --write-out '%{http_code}' http://localhost/swarm/join) || return 1
    if [ "$code" != 200 ]; then
        echo "joining the swarm of $1: $(cat "$work/answer")" >&2
        return 1
    fi
}
