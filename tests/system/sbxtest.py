"""What the system tests share: bundles, running the command line, and the count of what is left.

Every test takes all orphans of what it starts (child subreaper), so that a process that outlives its
sandbox is seen here, whoever its parent was."""
import ctypes, json, os, shutil, signal, subprocess, sys, tempfile, time, unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get('SBX_BUILD', os.path.join(TOP, 'build'))
LAUNCH = os.path.join(BUILD, 'bin', 'sbx-launch')
ROOTFS = os.environ.get('SBX_ROOT') or os.path.join(os.environ.get('SBX_CACHE', '/var/cache/sbx'), 'debian-bookworm')
PR_SET_CHILD_SUBREAPER = 36

ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children():
    with open(f'/proc/self/task/{os.getpid()}/children') as f:
        return [int(p) for p in f.read().split()]


def descendants(pid=None):
    out = []
    try:
        with open(f'/proc/{pid or os.getpid()}/task/{pid or os.getpid()}/children') as f:
            for child in f.read().split():
                out += [int(child)] + descendants(int(child))
    except OSError:
        pass
    return out


def comm(pid):
    try:
        with open(f'/proc/{pid}/comm') as f:
            return f.read().strip()
    except OSError:
        return ''


def mounts():
    with open('/proc/self/mounts') as f:
        return sorted(f.read().splitlines())


def cgroups():
    found = []
    for d, dirs, _ in os.walk('/sys/fs/cgroup'):
        found += [os.path.join(d, x) for x in dirs if 'sbx' in x]
    return sorted(found)


class SandboxTest(unittest.TestCase):
    def setUp(self):
        if not os.path.exists(LAUNCH):
            self.skipTest('not built')
        self.work = tempfile.mkdtemp(prefix='sbx-system-')
        self.root = os.path.join(self.work, 'state')
        self.bundle = os.path.join(self.work, 'bundle')
        os.mkdir(self.bundle)
        self.before = (mounts(), cgroups())
        self.procs = []

    def tearDown(self):
        for p in self.procs:
            if p.poll() is None:
                p.kill()
            p.communicate()
        try:
            self.assert_nothing_left()
        finally:
            for pid in descendants():
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    pass
            shutil.rmtree(self.work, ignore_errors=True)

    def assert_nothing_left(self, grace=5):
        deadline = time.time() + grace
        while True:
            while True:
                try:
                    if os.waitpid(-1, os.WNOHANG)[0] == 0:
                        break
                except ChildProcessError:
                    break
            left = [(p, comm(p)) for p in descendants()]
            state = os.listdir(self.root) if os.path.isdir(self.root) else []
            if (not left and not state) or time.time() > deadline:
                break
            time.sleep(0.05)
        self.assertEqual(left, [], 'processes are left')
        self.assertEqual(state, [], 'state is left')
        self.assertEqual(mounts(), self.before[0], 'mounts are left')
        self.assertEqual(cgroups(), self.before[1], 'cgroups are left')

    def config(self, *args, terminal=False, **changes):
        c = {
            'ociVersion': '1.0.2',
            'process': {'terminal': terminal, 'user': {'uid': 0, 'gid': 0}, 'args': list(args) or ['true'],
                        'env': ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'TERM=xterm'], 'cwd': '/'},
            'root': {'path': ROOTFS, 'readonly': True},
            'hostname': 'box',
            'mounts': [
                {'destination': '/proc', 'type': 'proc', 'source': 'proc'},
                {'destination': '/dev', 'type': 'tmpfs', 'source': 'tmpfs', 'options': ['nosuid', 'mode=755']},
                {'destination': '/dev/pts', 'type': 'devpts', 'source': 'devpts',
                 'options': ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5']},
                {'destination': '/tmp', 'type': 'tmpfs', 'source': 'tmpfs', 'options': ['mode=1777']},
                {'destination': '/sys', 'type': 'sysfs', 'source': 'sysfs', 'options': ['ro']},
            ],
            'linux': {'namespaces': [{'type': t} for t in ('pid', 'network', 'ipc', 'uts', 'mount')]},
        }
        for path, value in changes.items():
            d = c
            *way, last = path.split('__')
            for key in way:
                d = d.setdefault(key, {})
            if value is None:
                d.pop(last, None)
            else:
                d[last] = value
        self.write_config(json.dumps(c))
        return c

    def write_config(self, text):
        with open(os.path.join(self.bundle, 'config.json'), 'w') as f:
            f.write(text)

    def cmd(self, *args, flags=()):
        return [LAUNCH, '--root', self.root, *flags, *args]

    def sbx(self, *args, flags=(), timeout=60, input=None, **kw):
        """Runs to its end; the text of stdout and stderr, and the status."""
        if input is None:
            kw.setdefault('stdin', subprocess.DEVNULL)
        # a file, not a pipe: a daemon that stays behind must not keep us waiting
        with tempfile.TemporaryFile('w+') as out, tempfile.TemporaryFile('w+') as err:
            p = subprocess.run(self.cmd(*args, flags=flags), stdout=out, stderr=err, input=input,
                               text=True, timeout=timeout, cwd=self.bundle, **kw)
            out.seek(0)
            err.seek(0)
            p.stdout, p.stderr = out.read(), err.read()
        return p

    def start(self, *args, flags=(), **kw):
        kw.setdefault('stdin', subprocess.DEVNULL)
        kw.setdefault('stdout', subprocess.PIPE)
        kw.setdefault('stderr', subprocess.PIPE)
        p = subprocess.Popen(self.cmd(*args, flags=flags), text=True, cwd=self.bundle, **kw)
        self.procs.append(p)
        return p

    def status(self, name):
        p = self.sbx('state', name)
        return json.loads(p.stdout)['status'] if p.returncode == 0 else None

    def wait_status(self, name, want, timeout=20):
        deadline = time.time() + timeout
        while self.status(name) != want:
            self.assertLess(time.time(), deadline, f'{name} is {self.status(name)}, not {want}')
            time.sleep(0.05)

    def read_pid(self):
        with open(os.path.join(self.bundle, 'pid')) as f:
            return int(f.read())

    def service(self, launcher, name):
        """The pid of a service beneath a launcher."""
        for pid in descendants(launcher):
            if comm(pid) == f'sbx-{name}':
                return pid
        self.fail(f'no sbx-{name} below {launcher}')

    def assert_ok(self, p, status=0):
        self.assertEqual(p.returncode, status, p.stdout + p.stderr)


def main():
    unittest.main(verbosity=2)
