#!/bin/sh
# GNU parallel over ssh to two hosts, which are network namespaces of this machine with one ssh
# daemon each. Four shares of 40 songs, one at a time on each host. In the middle, one host's daemon
# is killed with all its children, and its shares go to the other host. Needs root, and Debian's
# packages: apt-get install parallel openssh-server iproute2
. "$(dirname "$0")/common.sh"
need parallel ip ssh ssh-keygen
sshd=$(command -v sshd) || { say "sshd is missing: see README.md"; exit 1; }
[ "$(id -u)" = 0 ] || { say "network namespaces need root"; exit 1; }
names="partita-$$-1 partita-$$-2"

hosts() {
    mkdir -p /run/sshd "$work/ssh"
    ssh-keygen -q -t ed25519 -N '' -f "$work/ssh/host"
    ssh-keygen -q -t ed25519 -N '' -f "$work/ssh/user"
    cp "$work/ssh/user.pub" "$work/ssh/authorized"
    chmod 600 "$work/ssh/authorized"
    chmod 755 "$work" "$work/ssh"
    cat >"$work/ssh/sshd.conf" <<CONF
HostKey $work/ssh/host
AuthorizedKeysFile $work/ssh/authorized
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
PidFile none
CONF
    number=0
    for name in $names; do
        number=$((number + 1))
        ip netns add "$name"
        ip link add "pv$$-$number" type veth peer name eth0 netns "$name"
        ip addr add "10.77.$number.1/24" dev "pv$$-$number"
        ip link set "pv$$-$number" up
        ip -n "$name" addr add "10.77.$number.2/24" dev eth0
        ip -n "$name" link set eth0 up
        ip -n "$name" link set lo up
        host "$name" "$number"
    done
    cat >"$work/ssh/config" <<CONF
Host 10.77.*
    User root
    IdentityFile $work/ssh/user
    IdentitiesOnly yes
    StrictHostKeyChecking no
    UserKnownHostsFile $work/ssh/known
    LogLevel ERROR
    ConnectTimeout 5
    ServerAliveInterval 5
    ServerAliveCountMax 2
CONF
    for number in 1 2; do
        until ssh -F "$work/ssh/config" "10.77.$number.2" true; do sleep 0.5; done
    done
    say "two hosts are up"
}

host() {
    ip netns exec "$1" "$sshd" -D -f "$work/ssh/sshd.conf" -E "$work/ssh/$1.log" &
    eval "daemon$2=$!"
    started="$started $!"
}

remove_hosts() {
    for name in $names; do
        for pid in $(ip netns pids "$name" 2>/dev/null); do kill "$pid" 2>/dev/null || true; done
        ip netns del "$name" 2>/dev/null || true # also deletes its network card
    done
    clean_up
}
trap remove_hosts EXIT

prepare
hosts
begin=$(date +%s)
cat >"$work/share.sh" <<SHARE
#!/bin/sh
# Arguments: the share, and the attempt.
exec env PARTITA_HOME="$PARTITA_HOME" PARTITA_LOG="$PARTITA_LOG" "$partita" separate --json --threads 1 \\
    --manifest "$songs/all.csv" --shard "\$1/4" --out "$work/out" \\
    >"$work/logs/\$1-\$(date +%s%N).log" 2>&1
SHARE
chmod +x "$work/share.sh"
# A share that fails, with 75 or otherwise, or loses its host, is restarted, on another host if one
# is available.
parallel --will-cite --ssh "ssh -F $work/ssh/config" --sshlogin 1/10.77.1.2,1/10.77.2.2 --retries 6 \
    --joblog "$work/jobs" "$work/share.sh" ::: 1 2 3 4 &
shares=$!
started="$started $shares"
until grep -l '"event":"done"' "$work"/logs/*.log >/dev/null 2>&1; do sleep 0.2; done
sleep "${KILL_AFTER:-1}"
name=${names#* }
victims=$(ip netns pids "$name")
kill -9 $victims
say "killed: the second host's daemon and its processes:" $victims
sleep 5
host "$name" 2
say "the host is back"
wait "$shares"
cat "$work/jobs" >&2
check "$(($(date +%s) - begin))"
