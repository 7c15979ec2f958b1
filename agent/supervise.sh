#!/bin/sh
# supervise.sh NODE STATE PROGRAMS [ARGUMENT…]: what the system's service manager starts. Installed once, never updated.
#
# Keeps the agent running and takes back a version that does not come up. It depends on nothing that an update changes and
# decides by three things alone: the process ended, the process spoke, the time is over. So a version that crashes at
# once, one that hangs and one that never reaches the panel all end the same way: with the old one. A shell, because it
# stays in memory for as long as the server runs.
#
# In STATE: `current` (link to the release that runs), `wish` and `healthy` (what the agent says, agent/update/supervised.ts),
# `trial` (a version on trial: written before the switch, so that who is killed goes on where it was), `last-update.json`.
set -u
node=$1 state=$2 programs=$3
shift 3
# How long a new version has, from the switch to its first answer from the panel.
trial_s=${NUSANTARAD_TRIAL_S:-50}
# How long a process has to end by itself: when all is to stop, and when it makes way for another version.
grace_s=${NUSANTARAD_GRACE_S:-70}
switch_grace_s=8
# The first pause before an agent that ended is started again. One that ran WELL_S was well: the next is short again.
pause_ms=${NUSANTARAD_PAUSE_MS:-1000}
LONGEST_PAUSE_MS=30000
WELL_S=60
LOOK_S=0.2

# A server's memory is its sites': the agent starts programs and waits, which needs no optimised code. Node's own snapshot
# starts it some milliseconds sooner and stays in memory.
SMALL='--no-node-snapshot --max-semi-space-size=1 --optimize-for-size --no-opt --no-maglev --v8-pool-size=1 --expose-gc'

child='' told='' stopping='' wished=''
attempt='' from='' to='' until=''
failures=0

say() { echo "supervisor: $*"; }
now() { date +%s; }

is_number() {
  case $1 in '' | *[!0-9]*) return 1 ;; esac
  [ ${#1} -le 12 ]
}
is_version() {
  case $1 in *[!0-9.]* | .* | *. | *..* | *.*.*.*) return 1 ;; *.*.*) [ ${#1} -le 20 ] ;; *) return 1 ;; esac
}
is_attempt() {
  case $1 in '' | *[!0-9a-fA-F-]*) return 1 ;; esac
  [ ${#1} -le 64 ]
}

program() { echo "$programs/releases/$1/nusantarad.mjs"; }

current() {
  link=$(readlink "$state/current") || return 1
  is_version "${link##*/}" && echo "${link##*/}"
}

# In one step, and on the disk before it counts.
put() {
  printf '%s\n' "$2" >"$state/$1.new" && sync "$state/$1.new" && mv -f "$state/$1.new" "$state/$1"
}

point() {
  rm -f "$state/current.new"
  ln -s "$programs/releases/$1" "$state/current.new" && mv -fT "$state/current.new" "$state/current"
}

record() { # outcome, reason
  put last-update.json "$(printf '{"attempt":"%s","from":"%s","version":"%s","outcome":"%s","reason":"%s","at":"%s"}' \
    "$attempt" "$from" "$to" "$1" "$2" "$(date -u +%Y-%m-%dT%H:%M:%SZ)")"
  rm -f "$state/trial"
}

tell_end() {
  [ -n "$child" ] && [ -z "$told" ] || return 0
  told=1
  kill -TERM "$child" 2>/dev/null
}
# What a signal finds half done is found by who comes next: each looks after it has set what the other reads.
trap 'stopping=1; tell_end' TERM INT
trap 'wished=1' USR1

# Told once to end, for a second signal would end it in the middle of what it still does.
end_child() { # seconds
  tell_end
  last=$(($(now) + $1))
  while kill -0 "$child" 2>/dev/null; do
    [ "$(now)" -ge "$last" ] && kill -KILL "$child" 2>/dev/null
    sleep "$LOOK_S"
  done
  wait "$child"
  status=$?
}

start() {
  version=$(current) || {
    say "no release is chosen: run nusantarad install"
    exit 1
  }
  rm -f "$state/healthy" "$state/wish"
  told='' wished=''
  began=$(now)
  # A later Node may not know one of them, and this file is not updated with it.
  flags=$SMALL
  # shellcheck disable=SC2086
  "$node" $SMALL -e 0 >/dev/null 2>&1 || flags=''
  # shellcheck disable=SC2086
  NUSANTARAD_SUPERVISOR=$$ "$node" $flags "$(program "$version")" "$@" </dev/null &
  child=$!
  [ -n "$stopping" ] && tell_end
  say "started $version ($child)"
}

is_healthy() {
  [ -f "$state/healthy" ] && read -r pid said <"$state/healthy" && [ "$pid $said" = "$child $version" ]
}

# A wish of the agent that runs, for a version that lies there, while no other is on trial.
wish_is_good() {
  [ -z "$to" ] && [ -f "$state/wish" ] && read -r pid wanted attempt <"$state/wish" || return 1
  [ "$pid" = "$child" ] && is_version "$wanted" && is_attempt "$attempt" || return 1
  [ "$wanted" != "$version" ] && [ -f "$(program "$wanted")" ] && return 0
  say "does not switch from $version to $wanted"
  return 1
}

begin_trial() {
  from=$version to=$wanted until=$(($(now) + trial_s))
  rm -f "$state/wish"
  if ! put trial "$attempt $from $to $until"; then
    say "does not switch from $from to $to: the trial cannot be noted"
    to=''
    return 1
  fi
  point "$to"
  failures=0
  say "switching from $from to $to"
}

pass() {
  record installed ''
  say "$to is well"
  to=''
}

# Back to the old version: the link first, so that whatever happens next starts that one.
take_back() { # reason
  point "$from"
  record reverted "$1"
  say "$to is taken back: $1"
  to='' failures=0
}

resume() {
  [ -f "$state/trial" ] && read -r attempt from to until <"$state/trial"
  if ! { is_attempt "$attempt" && is_version "$from" && is_version "$to" && is_number "$until"; }; then
    to=''
    return
  fi
  latest=$(($(now) + trial_s))
  [ "$until" -gt "$latest" ] && until=$latest
  if [ "$until" -gt "$(now)" ]; then point "$to"; else
    take_back "the trial's time was over before it was looked at again"
  fi
}

# Looks at a version on trial until it has spoken, has ended or is out of time; that one gets no grace.
watch() {
  while kill -0 "$child" 2>/dev/null; do
    [ -n "$stopping" ] && return
    is_healthy && break
    if [ "$(now)" -ge "$until" ]; then
      take_back "it did not reach the panel in time"
      kill -KILL "$child" 2>/dev/null
      return
    fi
    sleep "$LOOK_S"
  done
  if is_healthy; then pass; fi
}

# Until the agent has ended, by itself, for a switch, or because all is to stop.
await() {
  while :; do
    if [ -n "$stopping" ]; then
      end_child "$grace_s"
      return
    fi
    if [ -n "$wished" ]; then
      wished=''
      if wish_is_good && begin_trial; then
        end_child "$switch_grace_s"
        return
      fi
    fi
    wait "$child"
    status=$?
    kill -0 "$child" 2>/dev/null || return
  done
}

pause() {
  [ $(($(now) - began)) -ge "$WELL_S" ] && failures=0
  ms=$pause_ms n=$failures
  while [ "$n" -gt 0 ] && [ "$ms" -lt "$LONGEST_PAUSE_MS" ]; do ms=$((ms * 2)) n=$((n - 1)); done
  [ "$ms" -gt "$LONGEST_PAUSE_MS" ] && ms=$LONGEST_PAUSE_MS
  failures=$((failures + 1)) told=''
  sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))" &
  child=$!
  [ -n "$stopping" ] && tell_end
  wait "$child"
}

resume
while :; do
  start "$@"
  if [ "$to" = "$version" ]; then
    watch
  elif [ -n "$to" ]; then
    take_back "the switch could not be made"
  fi
  await
  [ -n "$stopping" ] && exit 0
  how=$status
  [ "$status" -gt 128 ] && how="SIG$(kill -l $((status - 128)))"
  say "$version ended ($how)"
  if [ "$to" = "$version" ]; then
    take_back "it ended ($how)"
  elif wish_is_good && begin_trial; then
    continue
  elif [ "$(current)" = "$version" ]; then
    # The end of one that was told to make way, or was taken back, is no failure of the next.
    pause
  fi
  [ -n "$stopping" ] && exit 0
done
