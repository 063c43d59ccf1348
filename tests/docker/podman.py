#!/usr/bin/env python3
"""Podman and containerd's own client (ctr) with runc and with sbx, compared: run, exec, cp, stop, rm.
Storage, state and sockets are in a folder of their own. Exit status 77: cannot be tried here."""
import os, re, shutil, subprocess, sys, tempfile, time
from engine import IMAGE, LAUNCH, PATH, ROOTFS, clean, enter

RUNTIMES = {'runc': shutil.which('runc', path=PATH), 'sbx': LAUNCH}


class Podman:
    name = 'podman'

    def __init__(self, work):
        self.work = work
        self.base = ['podman', '--root', work + '/lib', '--runroot', work + '/run', '--cgroup-manager', 'cgroupfs', '--events-backend', 'file']
        self.env = dict(os.environ, PATH=PATH)
        tar = subprocess.Popen(['tar', '-C', ROOTFS, '-c', '.'], stdout=subprocess.PIPE)
        subprocess.run([*self.base, 'import', '-', IMAGE], stdin=tar.stdout, check=True, capture_output=True, env=self.env)

    def do(self, runtime, *args, input=None, timeout=60):
        if args[0] in ('run', 'create'): # limits that this machine's root may set, whatever it has
            args = (args[0], '--ulimit', 'nofile=1000:1000', '--ulimit', 'nproc=1000:1000', '--network', 'none', *args[1:])
        p = subprocess.run([*self.base, '--runtime', RUNTIMES[runtime], *args], env=self.env, capture_output=True, text=True, timeout=timeout,
                           input=input, stdin=subprocess.DEVNULL if input is None else None)
        return f'{p.stdout}{p.stderr}[{p.returncode}]'

    def stop(self):
        subprocess.run([*self.base, 'rm', '-af', '-t', '0'], env=self.env, capture_output=True)

    def rows(self):
        do = self.do
        yield 'run', lambda r: do(r, 'run', '--rm', IMAGE, 'sh', '-c', 'echo out; exit 5')
        yield 'run -i', lambda r: do(r, 'run', '--rm', '-i', IMAGE, 'sort', input='b\na\n')
        yield 'run -t', lambda r: do(r, 'run', '--rm', '-t', IMAGE, 'tty')
        yield 'run --user, -w, -e', lambda r: do(r, 'run', '--rm', '--user', 'daemon', '-w', '/usr', '-e', 'A=1', IMAGE, 'sh', '-c', 'id -un; pwd; echo $A')
        yield 'run --read-only', lambda r: do(r, 'run', '--rm', '--read-only', IMAGE, 'sh', '-c', 'touch /x; touch /tmp/x && ls /run; stat -c %a /run /tmp /var/tmp')
        yield 'run --tmpfs', lambda r: do(r, 'run', '--rm', '--tmpfs', '/etc/cron.d:size=1m', IMAGE, 'sh', '-c', 'ls -a /etc/cron.d')
        yield 'run -v', lambda r: do(r, 'run', '--rm', '-v', f'{self.work}:/mnt:ro', IMAGE, 'sh', '-c', 'touch /mnt/x; ls -d /mnt')
        yield 'run -m, OOM', lambda r: do(r, 'run', '--rm', '-m', '64m', '--memory-swap', '64m', IMAGE, 'python3', '-c', 'x = bytearray(300 << 20)')
        yield 'run --cap-drop, --security-opt', lambda r: do(r, 'run', '--rm', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', IMAGE, 'grep', '-E', 'Cap(Eff|Bnd)|NoNew|Seccomp:', '/proc/self/status')
        yield 'run --hostname', lambda r: do(r, 'run', '--rm', '--hostname', 'box', IMAGE, 'hostname')
        yield 'not found', lambda r: do(r, 'run', '--rm', IMAGE, 'no-such-program')[-5:]
        yield 'cp, both ways, while it runs', self.copy
        yield 'life', self.life

    def copy(self, r):
        """Podman enters the mount namespace of the container's pid for it: nothing may be written to the host, nor read from it."""
        probe = f'sbx-podman-{os.getpid()}'
        with open(f'{self.work}/{probe}', 'w') as f:
            f.write('copied in\n')
        os.makedirs(f'{self.work}/volume-{r}')
        self.do(r, 'run', '-d', '--name', 'c', '-v', f'{self.work}/volume-{r}:/volume', IMAGE, 'sleep', '1000')
        out = [self.do(r, 'cp', f'{self.work}/{probe}', f'c:/etc/{probe}'), self.do(r, 'cp', f'{self.work}/{probe}', f'c:/volume/x'),
               self.do(r, 'exec', 'c', 'sh', '-c', f'cat /etc/{probe} /volume/x; echo made inside >/etc/made'),
               self.do(r, 'cp', 'c:/etc/made', f'{self.work}/made'), self.do(r, 'cp', f'c:{self.work}', f'{self.work}/none'),
               self.do(r, 'cp', f'{self.work}/{probe}', 'c:/proc/x')[-5:], self.do(r, 'rm', '-f', '-t', '0', 'c')]
        with open(f'{self.work}/made') as f:
            out.append(f.read())
        os.unlink(f'{self.work}/made')
        out += [str(os.listdir(f'{self.work}/volume-{r}')), f'on the host: {os.path.exists("/etc/" + probe)}']
        return '\n'.join(re.sub(r'volume-\w+', 'volume', x) for x in out)

    def life(self, r):
        out = []
        say = lambda *a: out.append(self.do(r, *a))
        say('run', '-d', '--name', 'c', IMAGE, 'sh', '-c', 'trap "exit 4" TERM; echo up; while :; do sleep 0.1; done')
        time.sleep(1)
        say('logs', 'c')
        say('exec', 'c', 'sh', '-c', 'echo in; exit 6')
        say('exec', '-u', 'daemon', 'c', 'id', '-un')
        say('pause', 'c')
        say('inspect', '-f', '{{.State.Status}}', 'c')
        say('unpause', 'c')
        say('stop', '-t', '5', 'c')
        say('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'c')
        say('start', 'c')
        say('kill', 'c')
        say('rm', '-f', 'c')
        return '\n'.join(out[1:])


class Ctr:
    name = 'ctr'

    def __init__(self, work):
        self.work = work
        self.sock = work + '/containerd.sock'
        with open(work + '/config.toml', 'w') as f:
            f.write(f'version = 2\nroot = "{work}/ctrd"\nstate = "{work}/ctrs"\n[grpc]\n  address = "{self.sock}"\n[ttrpc]\n  address = "{self.sock}.ttrpc"\n')
        self.log = open(work + '/containerd.log', 'w')
        self.env = dict(os.environ, PATH=PATH)
        self.daemon = subprocess.Popen(['containerd', '-c', work + '/config.toml'], env=self.env, stdout=self.log, stderr=self.log)
        for _ in range(100):
            if subprocess.run(['ctr', '-a', self.sock, 'version'], capture_output=True, env=self.env).returncode == 0:
                break
            time.sleep(0.1)

    def do(self, *args, timeout=60):
        p = subprocess.run(['ctr', '-a', self.sock, *args], env=self.env, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)
        return f'{p.stdout}{p.stderr}[{p.returncode}]'

    def run(self, r, *args, flags=()):
        return self.do('run', '--runc-binary', RUNTIMES[r], '--rootfs', *flags, ROOTFS, f'c-{r}', *args)

    def stop(self):
        self.daemon.terminate()
        self.daemon.wait(30)
        self.log.close()

    def rows(self):
        ro = ('--read-only', '--rm')
        yield 'ctr run', lambda r: self.run(r, '/bin/sh', '-c', 'echo out; exit 5', flags=ro)
        yield 'ctr run --env --cwd', lambda r: self.run(r, '/bin/sh', '-c', 'echo $A; pwd', flags=(*ro, '--env', 'A=1', '--cwd', '/usr'))
        yield 'ctr run --memory-limit', lambda r: self.run(r, '/usr/bin/python3', '-c', 'x = bytearray(300 << 20)', flags=(*ro, '--memory-limit', str(64 << 20)))
        yield 'ctr run, not found', lambda r: self.run(r, 'no-such-program', flags=ro).split('exec: ')[-1]
        yield 'ctr task: life', self.life

    def life(self, r):
        name = f'c-{r}'
        out = [self.run(r, '/bin/sleep', '1000', flags=('-d', '--read-only')).replace(name, 'c')]
        for args in (('exec', '--exec-id', 'e', name, '/bin/echo', 'in'), ('pause', name), ('resume', name), ('kill', '-s', 'SIGKILL', name)):
            out.append(self.do('task', *args))
        time.sleep(1)
        out.append(self.do('task', 'rm', name).replace(name, 'c'))
        out.append(self.do('container', 'rm', name))
        return re.sub(r'time="[^"]*"', 'time', '\n'.join(out))


def main():
    enter()
    work = tempfile.mkdtemp(prefix='sbx-podman-', dir='/var/tmp')
    subprocess.run(['mount', '-t', 'tmpfs', 'run', '/run'], check=True)
    failed = tried = 0
    try:
        for engine, program in ((Podman, 'podman'), (Ctr, 'ctr')):
            if not shutil.which(program, path=PATH):
                print(f'{program} is not installed: not tried')
                continue
            en = engine(work)
            try:
                for what, fn in en.rows():
                    got = []
                    for r in RUNTIMES:
                        try:
                            got.append(clean(fn(r)))
                        except Exception as e:
                            got.append(f'{type(e).__name__}: {e}')
                    tried += 1
                    same = got[0] == got[1]
                    failed += not same
                    print(f'{"ok  " if same else "FAIL"} {en.name}: {what}', flush=True)
                    if not same or '-v' in sys.argv:
                        print('       runc:', got[0].replace('\n', '\n             '))
                        print('       sbx: ', got[1].replace('\n', '\n             '))
            finally:
                en.stop()
    finally:
        with open('/proc/self/mounts') as f:
            for line in sorted((x.split()[1] for x in f), reverse=True):
                if line.startswith(work):
                    subprocess.run(['umount', '-l', line], capture_output=True)
        shutil.rmtree(work, ignore_errors=True)
    if not tried:
        print('skipped: neither podman nor containerd is installed')
        return 77
    print(f'{tried} rows, {failed} differ')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
