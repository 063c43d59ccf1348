"""A dockerd of our own for the tests: in its own mount and network namespaces, with its own folders and socket,
so that neither the machine's Docker nor anything else of it is touched. Exit status 77 means: cannot be tried here."""
import ctypes, json, os, pty, re, select, shutil, signal, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get('SBX_BUILD', os.path.join(TOP, 'build'))
LAUNCH = os.path.join(BUILD, 'bin', 'sbx-launch')
ROOTFS = os.environ.get('SBX_ROOT') or os.path.join(os.environ.get('SBX_CACHE', '/var/cache/sbx'), 'debian-bookworm')
IMAGE = 'sbx-debian'
INNER = 'SBX_DOCKER_INNER'
# where Debian puts them; another docker in front of the path may speak a later protocol
PATH = '/usr/sbin:/usr/bin:/sbin:/bin'


def skip(why):
    print(f'skipped: {why}')
    sys.exit(77)


def enter():
    """Runs this program again in namespaces of its own."""
    if os.environ.get(INNER):
        # asked to end, it still takes its dockerd with it
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=False)
        return
    if os.geteuid() != 0:
        skip('needs root')
    for program in ('dockerd', 'runc', 'unshare', 'ip'):
        if not shutil.which(program, path=PATH):
            skip(f'{program} is not installed (docker.io, runc)')
    if not os.path.isdir(ROOTFS):
        skip(f'{ROOTFS} is not there (tests/run makes it)')
    if not os.path.exists(LAUNCH):
        skip('not built')
    os.environ[INNER] = '1'
    os.execvp('unshare', ['unshare', '-m', '-n', sys.executable, *sys.argv])


def clean(text):
    """What is never the same twice."""
    text = re.sub(r't-([a-z0-9]+)-(runc|sbx-[a-z]+|sbx)', r't-\1', text)
    text = re.sub(r'\b[0-9a-f]{64}\b', 'ID64', text)
    text = re.sub(r'\b[0-9a-f]{12}\b', 'ID12', text)
    return text.replace('\r\n', '\n')


class Engine:
    def __init__(self, config=None, args=(), image=True, work=None):
        self.work = work or tempfile.mkdtemp(prefix='sbx-docker-', dir='/var/tmp')
        self.env = dict(os.environ, PATH=PATH, DOCKER_HOST=f'unix://{self.work}/docker.sock', DOCKER_CONFIG=self.work)
        root = f'--root={self.work}/sbx'
        self.config = config or {'runtimes': {'sbx': {'path': LAUNCH, 'runtimeArgs': [root]},
                                              'sbx-shared': {'path': LAUNCH, 'runtimeArgs': [root, '--file-access=shared']},
                                              'sbx-uds': {'path': LAUNCH, 'runtimeArgs': [root, '--host-uds=open']},
                                              'sbx-hostnet': {'path': LAUNCH, 'runtimeArgs': [root, '--network=host']}}}
        self.args = args
        self.config_file = os.path.join(self.work, 'daemon.json')
        with open(self.config_file, 'w') as f:
            json.dump({'deprecated-key-path': self.work + '/key.json', **self.config}, f)
        self.start()
        if image:
            self.import_image()

    def start(self):
        self.log = open(os.path.join(self.work, 'log'), 'a')
        self.daemon = subprocess.Popen(
            ['dockerd', '--config-file', self.config_file, '--data-root', self.work + '/data', '--exec-root', self.work + '/exec',
             '-H', self.env['DOCKER_HOST'], '--pidfile', self.work + '/pid', *self.args], env=self.env, stdout=self.log, stderr=self.log)
        deadline = time.time() + 30
        while subprocess.run(['docker', 'version'], env=self.env, capture_output=True).returncode != 0:
            if self.daemon.poll() is not None or time.time() > deadline:
                with open(os.path.join(self.work, 'log')) as f:
                    last = f.read()[-600:]
                self.stop()
                skip(f'dockerd does not start here:\n{last}')
            time.sleep(0.1)

    def import_image(self, root=ROOTFS, name=IMAGE):
        tar = subprocess.Popen(['tar', '-C', root, '-c', '.'], stdout=subprocess.PIPE)
        subprocess.run(['docker', 'import', '-', name], env=self.env, stdin=tar.stdout, check=True, capture_output=True)
        tar.wait()

    def stop_daemon(self):
        if self.daemon.poll() is None:
            self.daemon.terminate()
            try:
                self.daemon.wait(40)
            except subprocess.TimeoutExpired:
                self.daemon.kill()
                self.daemon.wait()

    def stop(self):
        if self.daemon.poll() is None:
            ids = subprocess.run(['docker', 'ps', '-aq'], env=self.env, capture_output=True, text=True).stdout.split()
            if ids:
                subprocess.run(['docker', 'rm', '-f', '-v', *ids], env=self.env, capture_output=True)
        self.stop_daemon()
        self.log.close()
        with open('/proc/self/mounts') as f:
            for line in sorted((x.split()[1] for x in f), reverse=True):
                if line.startswith(self.work):
                    subprocess.run(['umount', '-l', line], capture_output=True)
        if os.environ.get('SBX_KEEP'):
            print('kept:', self.work)
        else:
            shutil.rmtree(self.work, ignore_errors=True)

    def docker(self, *args, timeout=60, input=None, check=False):
        """(status, stdout, stderr)"""
        try:
            p = subprocess.run(['docker', *args], env=self.env, capture_output=True, text=True, errors='replace', timeout=timeout,
                               stdin=subprocess.DEVNULL if input is None else None, input=input)
        except subprocess.TimeoutExpired as e:
            return 124, (e.stdout or b'').decode(errors='replace'), 'the test gave up waiting'
        if check and p.returncode != 0:
            raise RuntimeError(f'docker {" ".join(args)}: {p.stderr}')
        return p.returncode, p.stdout, p.stderr

    def start_docker(self, *args, **kw):
        kw.setdefault('stdin', subprocess.DEVNULL)
        return subprocess.Popen(['docker', *args], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kw)

    def typed(self, *args, keys=(), rows=30, cols=100, timeout=30):
        """docker in a terminal; keys: (text that is waited for, what is typed then). Its output."""
        import fcntl, struct, termios
        pid, fd = pty.fork()
        if pid == 0:
            os.execvpe('docker', ['docker', *args], self.env)
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, cols, 0, 0))
        out, seen, keys, deadline = '', 0, list(keys), time.time() + timeout
        while time.time() < deadline:
            if keys and keys[0][0] in out[seen:]:
                seen = len(out)
                key = keys.pop(0)[1]
                if callable(key):
                    key(fd)
                else:
                    os.write(fd, key.encode())
                continue
            if not select.select([fd], [], [], 0.2)[0]:
                continue
            try:
                data = os.read(fd, 4096)
            except OSError:
                data = b''
            if not data:
                break
            out += data.decode(errors='replace')
        else:
            os.kill(pid, 9)
        os.close(fd)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), out
