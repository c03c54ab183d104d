#!/usr/bin/env bash
# A Slurm of one node on loopback, in a folder of its own, for tests; it needs root and Debian's slurm-wlm and munge.
#
#   one_node_slurm.sh start FOLDER   prints the variables that make Slurm's commands use it
#   one_node_slurm.sh stop FOLDER    ends what was started, by the numbers that were kept
set -euo pipefail
action=$1 folder=$(realpath -m "$2")
export SLURM_CONF=$folder/slurm.conf

begin() {  # begin NAME COMMAND...: in the background, with its number and what it prints in the folder
    "${@:2}" >"$folder/$1.log" 2>&1 </dev/null &
    echo $! >>"$folder/pids"
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start() {
    mkdir -p "$folder"/{munge,state,spool}
    chmod 755 "$folder"
    chmod 700 "$folder/munge"
    dd if=/dev/urandom of="$folder/munge/key" bs=128 count=1 status=none
    chmod 400 "$folder/munge/key"
    local host
    host=$(hostname -s)
    cat >"$SLURM_CONF" <<CONF
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
SlurmctldAddr=127.0.0.1
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/state/slurmctld.pid
SlurmdPidFile=$folder/state/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=2,batch_sched_delay=0,bf_interval=2
KillWait=30
OverTimeLimit=0
MinJobAge=300
ReturnToService=2
JobRequeue=1
MpiDefault=none
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(getconf _NPROCESSORS_ONLN) State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
    begin munged munged --foreground --force --key-file="$folder/munge/key" --socket="$folder/munge/socket" \
        --pid-file="$folder/munge/pid" --seed-file="$folder/munge/seed" --log-file="$folder/munge/log"
    for _ in $(seq 50); do [ -S "$folder/munge/socket" ] && break; sleep 0.1; done
    begin slurmctld slurmctld -D -i -f "$SLURM_CONF"
    begin slurmd slurmd -D -f "$SLURM_CONF" -N "$host"
    for _ in $(seq 100); do
        sinfo --noheader --format %T 2>/dev/null | grep -q idle && break
        sleep 0.2
    done
    sinfo --noheader --format %T | grep -q idle
    echo "SLURM_CONF=$SLURM_CONF"
}

stop() {
    scancel --user root 2>/dev/null || true
    tac "$folder/pids" | while read -r pid; do
        kill "$pid" 2>/dev/null || true
        for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
        kill -9 "$pid" 2>/dev/null || true
    done
    rm -f "$folder/pids"
}

"$action"
