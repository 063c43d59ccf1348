#!/usr/bin/env python3
"""Real programs of the Debian root, unmodified: git, SQLite, the account tools, dpkg, gcc beneath make -j,
an interactive bash, Python's own tests and stress-ng. Each runs with its writes kept in memory."""
import os
from sbxtest import ROOTFS, SandboxTest, main

CAPS = ['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER', 'CAP_FSETID', 'CAP_KILL', 'CAP_SETGID', 'CAP_SETUID',
        'CAP_SETPCAP', 'CAP_NET_BIND_SERVICE', 'CAP_SYS_CHROOT', 'CAP_MKNOD']

GIT = '''
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
cd /tmp; mkdir one; cd one; git init -q .
for i in $(seq 30); do seq $i > f$i; done
git add .; git commit -qm one; git clone -q . ../two; cd ../two
for i in $(seq 5); do echo $i >> f1; git commit -qam "change $i"; done
git gc -q; git fsck --full --strict; git push -q origin HEAD:refs/heads/other
cd ../one; git log --oneline other | wc -l; git merge -q other; git status --short; cmp f1 ../two/f1
ls ../two/.git/objects/pack | grep -c pack$
'''

SQLITE = '''
cd /tmp; sqlite3 w.db 'pragma journal_mode=wal; create table t(a);'
for i in 1 2 3 4; do
  (for j in 1 2 3 4 5; do sqlite3 -cmd '.timeout 30000' w.db "insert into t values($i*10+$j)"; done) & kids="$kids $!"
done
for k in $kids; do wait $k; done
sqlite3 w.db 'select count(*), sum(a) from t; pragma integrity_check; pragma wal_checkpoint(truncate);'
'''

ACCOUNTS = '''
groupadd -g 101 somegroup; useradd -m -g somegroup -u 1018 someone
id someone; stat -c '%U %G' /home/someone; su -s /bin/sh -c 'id -un; touch ~/mine' someone
userdel -r someone; test ! -e /home/someone; ! id someone 2>/dev/null
'''

DPKG = '''
export DEBIAN_FRONTEND=noninteractive
cd /tmp; mkdir -p p/DEBIAN p/opt/x
printf 'Package: xx\\nVersion: 1\\nArchitecture: all\\nMaintainer: a <a@b>\\nDescription: d\\n' > p/DEBIAN/control
printf '#!/bin/sh\\necho postinst $1\\n' > p/DEBIAN/postinst; chmod 755 p/DEBIAN/postinst; echo content > p/opt/x/f
dpkg-deb -b p xx.deb >/dev/null; dpkg -i xx.deb | grep ^postinst; cat /opt/x/f; dpkg -s xx | grep ^Status
dpkg -r xx >/dev/null; test ! -e /opt/x/f; dpkg-reconfigure debconf
'''

MAKE = r'''
mkdir /tmp/m; cd /tmp/m
for i in $(seq 12); do printf '#include "all.h"\nint f%d(void) { return %d; }\n' $i $i > f$i.c; echo "int f$i(void);" >> all.h; done
{ printf '#include <stdio.h>\n#include "all.h"\nint main(void) { printf("%%d\\n", 0'; for i in $(seq 12); do printf ' + f%d()' $i; done; echo '); }'; } > main.c
printf 'O = $(patsubst %%.c,%%.o,$(wildcard *.c))\nprog: $O\n\tgcc -o $@ $^\n%%.o: %%.c all.h\n\tgcc -O1 -Wall -c -o $@ $<\n' > Makefile
make -j4 | grep -c gcc; ./prog; make -q && echo current; touch f3.c; make -j4 | grep -c gcc
'''

BASH = r'''
import os, pty, re, select, signal, time
pid, fd = pty.fork()
if pid == 0:
    os.environ['PS1'] = '> '
    os.execvp('bash', ['bash', '--norc', '--noprofile', '-i'])
seen = ''
def until(what):
    global seen
    end = time.time() + 30
    while what not in seen:
        if time.time() > end or not select.select([fd], [], [], 30)[0]:
            raise SystemExit(f'no {what!r} in {seen!r}')
        seen += os.read(fd, 4096).decode()
    seen = seen.split(what, 1)[1]
def child():  # what bash runs is in front, and it sleeps
    end = time.time() + 30
    while os.tcgetpgrp(fd) == pid and time.time() < end:
        time.sleep(0.02)
def send(text):
    os.write(fd, text.encode())
until('> ')
send('sleep 1000\n'); until('\n'); child(); send('\x1a'); until('Stopped'); until('> ')
send('bg\n'); until('sleep 1000 &'); until('> ')
send('jobs\n'); until('Running'); until('> ')
send('fg\n'); until('sleep 1000\r\n'); child(); send('\x03'); until('> ')
send('echo status=$?\n'); until('status=130'); until('> ')
send('cat | cat\n'); until('\n'); child(); send('word\n'); until('word'); until('word'); send('\x04'); until('> ')
send('tty; exit 7\n'); until('/dev/pts/')
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
'''

# Suites that need no network, and those of which some cases do.
QUICK = ['test_posix', 'test_mmap', 'test_fcntl', 'test_pty', 'test_tempfile', 'test_glob', 'test_resource',
         'test_wait3', 'test_wait4', 'test_fork1', 'test_file', 'test_select']
STRESS = ['pipe', 'fifo', 'splice', 'tee', 'futex', 'fork', 'vfork', 'mq', 'sem', 'poll', 'epoll', 'eventfd', 'timerfd',
          'dir', 'rename', 'flock', 'lockofd', 'fallocate', 'mmap', 'mremap', 'mprotect', 'sigq', 'sigsuspend']


class Apps(SandboxTest):
    def run_program(self, *args, timeout=120):
        if not os.path.exists(os.path.join(ROOTFS, 'usr/bin/git')):
            self.skipTest(f'{ROOTFS} is not the full Debian root')
        self.config(*args, root__readonly=False, process__noNewPrivileges=True,
                    process__capabilities={k: CAPS for k in ('bounding', 'effective', 'permitted')},
                    process__env=['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'TERM=xterm', 'LANG=C.UTF-8'])
        return self.sbx('run', 'apps', flags=['--overlay=memory'], timeout=timeout)

    def script(self, text, want, **kw):
        p = self.run_program('bash', '-e', '-o', 'pipefail', '-c', text, **kw)
        self.assert_ok(p)
        self.assertEqual(p.stdout, want, p.stderr)

    def test_git(self):
        self.script(GIT, '6\n1\n')

    def test_sqlite_wal(self):
        self.script(SQLITE, 'wal\n20|560\nok\n0|0|0\n')

    def test_accounts(self):
        self.script(ACCOUNTS, 'uid=1018(someone) gid=101(somegroup) groups=101(somegroup)\n'
                              'someone somegroup\nsomeone\n')

    def test_dpkg(self):
        self.script(DPKG, 'postinst configure\ncontent\nStatus: install ok installed\n')

    def test_make(self):
        self.script(MAKE, '14\n78\ncurrent\n2\n')

    def test_bash_job_control(self):
        p = self.run_program('python3', '-c', BASH)
        self.assert_ok(p)
        self.assertEqual(p.stdout, '7\n')

    def test_python(self):
        p = self.run_program('python3', '-m', 'test', *QUICK, timeout=240)
        self.assert_ok(p)
        self.assertIn('Tests result: SUCCESS', p.stdout)

    def test_stress(self):
        p = self.run_program('bash', '-c', f'''for s in {' '.join(STRESS)}; do
            timeout -k 1 60 stress-ng --$s 1 --timeout 1 --verify --temp-path /tmp >/tmp/out 2>&1 || { '{' } echo $s: $?; cat /tmp/out; { '}' }
            grep fail: /tmp/out; done; exit 0''', timeout=240)
        self.assert_ok(p)
        self.assertEqual(p.stdout, '', p.stderr)


if __name__ == '__main__':
    main()
