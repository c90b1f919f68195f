# shellcheck shell=bash
# Processes by pid and start time: what `launch` recorded is all that `halt` ever touches.

# stat_of PID: sets STAT to the fields after the command's name, state first.
# The name is cut off at its last bracket because it may hold blanks and brackets itself.
stat_of() {
  local line
  { read -r line < "/proc/$1/stat"; } 2>/dev/null || return 1
  read -ra STAT <<< "${line##*) }"
}

# born PID: its start time; fails when it is gone. A zombie counts as gone: not every
# container has an init that reaps.
born() {
  stat_of "$1" && [ "${STAT[0]}" != Z ] && echo "${STAT[19]}"
}

is() { [ "$(born "$1")" = "$2" ]; } # PID START

running() { # NAME
  local pid start
  { read -r pid start < "$RUN/$1"; } 2>/dev/null && is "$pid" "$start"
}

# launch NAME COMMAND...: in a session of its own, output to its log.
# Without job control a background child leads no process group, so setsid does not
# fork and $! is the service itself. It keeps no file of the caller's open: a lock
# that the caller holds would last as long as the service.
launch() {
  local name=$1 start
  shift
  running "$name" && return
  halt "$name" 0      # as in claim, for those that have no port
  rm -f "$DONE/cloud" # the cloud is to be waited for once more
  (
    for fd in /proc/self/fd/*; do
      fd=${fd##*/}
      [ "$fd" -le 2 ] || exec {fd}>&-
    done
    exec setsid "$@"
  ) < /dev/null >> "$LOG/$name.log" 2>&1 &
  disown
  start=$(born $!) || broken "$name" "ended at once"
  echo "$! $start" > "$RUN/$name"
}

# Living members of the session that pid leads or led, as "pid start". The kernel
# gives a number out again only when no session is called by it any more.
session() {
  local proc
  for proc in /proc/[0-9]*; do
    stat_of "${proc#/proc/}" || continue
    [ "${STAT[3]}" = "$1" ] && [ "${STAT[0]}" != Z ] && echo "${proc#/proc/} ${STAT[19]}"
  done
  return 0
}

# halt NAME [SECONDS]: asks the process to end, gives it that long, then kills what is
# left of its session, and returns when nothing is.
halt() {
  local name=$1 grace=${2:-10} pid start now members member until
  { read -r pid start < "$RUN/$name"; } 2>/dev/null || return 0
  if now=$(born "$pid") && [ "$now" != "$start" ]; then
    rm -f "$RUN/$name" # the number belongs to a stranger by now
    return
  fi
  mapfile -t members < <(session "$pid")
  until=$((SECONDS + grace))
  if [ "$grace" -gt 0 ] && is "$pid" "$start"; then
    kill -TERM "$pid" 2>/dev/null || true
    while is "$pid" "$start" && [ "$SECONDS" -lt "$until" ]; do sleep 0.1; done
  fi
  while [ ${#members[@]} -gt 0 ]; do
    for member in "${members[@]}"; do
      # shellcheck disable=SC2086 # two words on purpose
      if is $member; then kill -KILL "${member% *}" 2>/dev/null || true; fi
    done
    sleep 0.05
    mapfile -t members < <(session "$pid")
  done
  rm -f "$RUN/$name"
}

# broken NAME WHAT: the end of this run, with the evidence.
broken() {
  {
    echo "openstack-lab: $1 $2; the end of $LOG/$1.log:"
    tail -n 25 "$LOG/$1.log" | cut -c1-300
  } >&2
  exit 1
}

listening() { (: < "/dev/tcp/$HOST/$1") 2>/dev/null; } # PORT

claim() { # NAME PORT: refuses a port that somebody else has
  running "$1" && return
  halt "$1" 0 # workers that outlived a crash still listen
  ! listening "$2" || die "$1: port $2 is taken; choose others with MAGNUM_LAB_PORTS"
}

await() { # NAME PORT [SECONDS]
  local until=$((SECONDS + ${3:-120}))
  while running "$1"; do
    ! listening "$2" || return 0
    [ "$SECONDS" -lt "$until" ] || broken "$1" "does not listen on $HOST:$2"
    sleep 0.2
  done
  broken "$1" "ended"
}

# once STEP COMMAND...: runs it unless it was done in this state folder before.
once() {
  local step=$1
  shift
  [ -e "$DONE/$step" ] && return
  "$@" >> "$LOG/$step.log" 2>&1 || broken "$step" "failed"
  : > "$DONE/$step"
  say "$step"
}

# pool WIDTH FUNCTION ARGUMENT...: the function for each argument, WIDTH at a time.
# Ends the run when one of them failed, after the others are through.
pool() {
  local width=$1 function=$2 bad=0 arg pid
  local -A busy=()
  shift 2
  for arg in "$@" ''; do
    # The empty last argument only waits for everything before it.
    while [ ${#busy[@]} -ge "$width" ] || { [ -z "$arg" ] && [ ${#busy[@]} -gt 0 ]; }; do
      for pid in "${!busy[@]}"; do
        born "$pid" > /dev/null && continue
        wait "$pid" || bad=1
        unset "busy[$pid]"
      done
      sleep 0.1
    done
    [ -n "$arg" ] || break
    "$function" "$arg" &
    busy[$!]=1
  done
  [ "$bad" = 0 ] || exit 1
}
