#!/bin/bash
# The workload rows, run inside a Debian root: prints "row <name> <milliseconds>" for each. Each runs once
# unmeasured, so that caches are warm on every side alike.
set -u
cd /tmp || exit 1
rm -rf /tmp/sbx-wl && mkdir -p /tmp/sbx-wl && cd /tmp/sbx-wl || exit 1

bash_true() { for i in $(seq 200); do /bin/true; done; }
python_start() { for i in 1 2 3 4 5 6 7 8 9 10; do python3 -c 'import json, re, os, subprocess, collections'; done; }
find_root() { find / -xdev >/dev/null 2>&1; }
tar_usr() { tar cf - /usr/share /usr/lib 2>/dev/null | cat >/dev/null; }
grep_usr() { grep -r nosuchstringanywhere /usr/share /etc >/dev/null 2>&1; }
gcc_hello() {
	printf '#include <stdio.h>\nint main(void){puts("hi");return 0;}\n' >hello.c
	for i in 1 2 3; do gcc -O1 -o hello hello.c || return 1; done
}
git_repo() {
	rm -rf repo && git init -q repo && cd repo || return 1
	for i in $(seq 50); do echo "file $i" >"f$i"; done
	git add . && git -c user.name=a -c user.email=a@b commit -q -m one && git status >/dev/null && git log >/dev/null
	cd ..
}
cp_include() { cp -r /usr/include inc && rm -rf inc; }
sqlite_inserts() {
	rm -f t.db
	python3 - <<'P'
import sqlite3
c = sqlite3.connect('t.db')
c.execute('create table t (a integer, b text)')
c.commit()
for i in range(300):
    c.execute('insert into t values (?, ?)', (i, 'x' * 50))
    c.commit()
P
}
write_read_256m() { dd if=/dev/zero of=big bs=1M count=256 2>/dev/null; dd if=big of=/dev/null bs=1M 2>/dev/null; rm -f big; }
sort_md5() { seq 1000000 | sort -R | md5sum >/dev/null; }

# Over the loopback interface, where the root has the programs: a time for a fixed amount of work each.
iperf3_2g() {
	local server
	export TMPDIR=/dev/shm # its buffers are a file
	iperf3 -s -1 -p 5301 >/dev/null 2>&1 &
	server=$!
	sleep 0.2
	iperf3 -c 127.0.0.1 -p 5301 -n 2G
	wait "$server"
}
redis_rows() {
	redis-benchmark -p 6399 -c 20 "$@" -q
}
redis_up() {
	redis-server --port 6399 --save '' --appendonly no --dir /tmp --logfile /dev/null >/dev/null 2>&1 &
	redis_pid=$!
	for i in $(seq 50); do redis-cli -p 6399 ping 2>/dev/null | grep -q PONG && return; sleep 0.1; done
}
redis_set() { redis_rows -n 30000 -t set; }
redis_get() { redis_rows -n 30000 -t get; }
redis_get_p16() { redis_rows -n 300000 -P 16 -t get; }

net=
command -v iperf3 >/dev/null && net="$net iperf3_2g"
command -v redis-server >/dev/null && net="$net redis_set redis_get redis_get_p16"
case "${*:-redis}" in *redis*) command -v redis-server >/dev/null && redis_up ;; esac

rows="${*:-bash_true python_start find_root tar_usr grep_usr gcc_hello git_repo cp_include sqlite_inserts write_read_256m sort_md5$net}"
for row in $rows; do
	$row >/dev/null 2>&1 || echo "failed $row"
	start=$(date +%s%N)
	$row >/dev/null 2>&1
	end=$(date +%s%N)
	echo "row $row $(((end - start) / 1000)) us"
done
[ -z "${redis_pid:-}" ] || kill "$redis_pid"
cd /
rm -rf /tmp/sbx-wl
