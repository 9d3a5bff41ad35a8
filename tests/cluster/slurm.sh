#!/bin/sh
# Slurm on this machine: a controller and two node daemons of one processor each. Four shares of 40
# songs run as an array. In the middle, one node is killed with all its processes; its share is
# requeued and resumes. Needs root, and Debian's packages: apt-get install slurm-wlm munge
. "$(dirname "$0")/common.sh"
need munged slurmctld slurmd sbatch squeue sinfo
[ "$(id -u)" = 0 ] || { say "Slurm's daemons need root"; exit 1; }

daemons() {
    mkdir -p "$work/state" "$work/one" "$work/two" "$work/munge"
    chmod 755 "$work"
    chmod 700 "$work/munge"
    dd if=/dev/urandom bs=1024 count=1 of="$work/munge/key" 2>/dev/null
    chmod 600 "$work/munge/key"
    chmod 711 "$work/munge"
    munged --foreground --force --key-file="$work/munge/key" --socket="$work/munge/socket" \
        --pid-file="$work/munge/pid" --seed-file="$work/munge/seed" \
        --log-file="$work/munge/log" >"$work/munged.out" 2>&1 &
    started="$started $!"
    host=$(hostname -s)
    memory=$(awk '/MemTotal/ { print int($2 / 1024 / 2) }' /proc/meminfo)
    cat >"$work/slurm.conf" <<CONF
ClusterName=partita
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge/socket
CredType=cred/munge
StateSaveLocation=$work/state
SlurmctldPidFile=$work/slurmctld.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdPidFile=$work/%n/slurmd.pid
SlurmdSpoolDir=$work/%n
SlurmdLogFile=$work/%n/slurmd.log
SlurmdTimeout=10
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
MpiDefault=none
ReturnToService=2
JobRequeue=1
# Exit code of a share that must be restarted.
RequeueExit=75
NodeName=one NodeHostname=$host NodeAddr=127.0.0.1 Port=16821 CPUs=1 RealMemory=$memory
NodeName=two NodeHostname=$host NodeAddr=127.0.0.1 Port=16822 CPUs=1 RealMemory=$memory
PartitionName=all Nodes=one,two Default=YES State=UP MaxTime=INFINITE
CONF
    export SLURM_CONF="$work/slurm.conf"
    slurmctld -D -c >"$work/slurmctld.out" 2>&1 &
    started="$started $!"
    node one
    first=$pid
    node two
    second=$pid
    until [ "$(sinfo -h -N -t idle -o %N 2>/dev/null | sort -u | wc -l)" = 2 ]; do
        [ "$((waited = ${waited:-0} + 1))" -lt 60 ] || { say "no nodes: see $work"; KEEP=1; exit 1; }
        sleep 1
    done
    say "two nodes are up"
}

node() {
    setsid slurmd -D -N "$1" >"$work/$1/slurmd.out" 2>&1 &
    pid=$!
    started="$started $pid"
}

# Cancels all jobs, however this script ends.
job=
end_jobs() {
    [ -z "$job" ] || scancel "$job" 2>/dev/null || true
    while [ -n "$job" ] && [ -n "$(squeue -h -j "$job" 2>/dev/null)" ] && [ "${tries:-0}" -lt 20 ]; do
        tries=$((${tries:-0} + 1))
        sleep 1
    done
    clean_up
}
trap end_jobs EXIT

prepare
daemons
cat >"$work/share.sh" <<SHARE
#!/bin/sh
#SBATCH --array=1-4
#SBATCH --cpus-per-task=1
#SBATCH --mem=600M
#SBATCH --requeue
#SBATCH --output=$work/slurm-%a.out
exec "$partita" separate --json --manifest "$songs/all.csv" --shard "\$SLURM_ARRAY_TASK_ID/4" \\
    --out "$work/out" >"$work/logs/\$SLURM_ARRAY_TASK_ID-\$(date +%s).log" 2>&1
SHARE
begin=$(date +%s)
job=$(sbatch --parsable "$work/share.sh")
say "array job $job"
# Waits until the second node is in the middle of its first share.
until grep -l '"event":"done"' "$work"/logs/*.log >/dev/null 2>&1; do sleep 0.2; done
sleep "${KILL_AFTER:-1}"
say "killing node two with its job"
squeue -h -o '%i %T %N' >&2
victims=
for process in /proc/[0-9]*; do
    # A process of the node has its name in the environment; the parent is Slurm's own step daemon.
    knows=$(cat "$process/environ" 2>/dev/null | tr '\0' '\n' |
        grep -cxF -e "SLURMD_NODENAME=two" -e "SLURM_CONF=$SLURM_CONF" || true)
    if [ "$knows" = 2 ]; then
        parent=$(ps -o ppid= -p "${process#/proc/}" | tr -d ' ')
        victims="$victims ${process#/proc/}"
        case $(ps -o comm= -p "${parent:-1}") in slurmstepd*) victims="$victims $parent" ;; esac
    fi
done
[ -n "$victims" ] || { say "no process ran on node two"; exit 1; }
# shellcheck disable=SC2086 # numbers
kill -9 "$second" $victims 2>/dev/null || true
say "killed: slurmd $second, and on its node:$victims"
until sinfo -h -n two -o %T | grep -q down; do sleep 1; done
say "Slurm has detected the failure; restarting the node"
node two
while [ -n "$(squeue -h -j "$job" 2>/dev/null)" ]; do
    # Slurm delays requeued tasks for two minutes; this test starts them at once.
    for task in $(squeue -h -j "$job" -t PENDING -o %i 2>/dev/null); do
        scontrol update "JobId=$task" StartTime=now 2>/dev/null || true
    done
    sleep 1
done
check "$(($(date +%s) - begin))"
