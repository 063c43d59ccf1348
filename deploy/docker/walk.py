"""A walk through sbx under Docker, from nothing to the logs; stops on the first thing that differs from runc.

  deploy/walkthrough [--quick] [--transcript FILE] [--daemon SOCKET] [--apt-proxy URL]

Builds sbx, registers it with Docker (deploy/docker/setup), imports a Debian image made by debootstrap, opens a real
terminal (a pty) in `docker run -it` twice, with runc and with sbx, types the same commands into both, and compares what
they answer. Then shows what sbx logged of it. --quick leaves the large packages out. --transcript writes what was
seen on sbx's terminal as Markdown (docs/walkthrough.md). --daemon uses a Docker daemon that runs already and has the
runtime sbx-debug, with --debug-log and --strace. --apt-proxy is how containers reach the package mirrors where they
cannot by themselves."""
import argparse, fcntl, os, pty, re, select, shutil, signal, struct, subprocess, sys, tempfile, termios, time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROMPT = 'walk# '
PACKAGES = ['openssh-server', 'postgresql', 'nginx', 'build-essential']
TOOLS = ['iputils-ping', 'iproute2']
NET = 'sbx-walk'
WIDTH = 160  # of a line of the log
GUIDE = """# The walkthrough

`deploy/walkthrough` builds sbx on a Debian machine, registers it with Docker, imports a Debian image made by debootstrap, and opens
`docker run -it` in a terminal of its own twice, with runc and with sbx. Each command below but the first two was typed into both, and the walk
stops at the first that differs: in its exit status, or in what it prints but for times, sizes and addresses. What follows is what the
terminal of sbx showed, written by `deploy/walkthrough --transcript docs/walkthrough.md`. `--quick` leaves the large packages out.

## How to read it

- The first steps show whose kernel answers: `uname` and `dmesg` speak of sbx, while the programs are Debian's own.
- The steps with packages are the long ones. `apt-get` fetches over sbx's TCP/IP, `dpkg` runs the maintainer scripts as users and in
  sessions of sbx's kernel, and the servers they install are started and asked from inside.
- The three `ping` ask the bridge (the host's end of the container's link), another container by its name (through Docker's
  resolver), and an address where nobody is: when nobody has claimed it for three seconds, sbx's own ICMP says so.
- The last part is from outside: `sbx-launch logs ID` puts together what all processes of the sandbox wrote, by time. The second word of a
  line is its level, the third the process. `sysd` is the kernel: with `--strace` each system call of the container, `[task] program
  call(arguments) = result <seconds>`. `fsd` is the only one that opens files of the host: each request has the number of the
  mount and the path within it, with its result. `memd` has the container's memory, `netd` the link to the network. Every process says at
  its start how many system calls of the host its filter still lets it make; docs/security-filters.md lists them with a reason for each.
- To find what a program did: its execve line gives the number of the task, and `grep '\\[NUMBER\\]'` the rest. What left the container is in
  the lines of connect and sendto, what it asked of the host's files in those of `fsd`. With --apt-proxy, as in the tests, `apt-get` connects to that address only.
"""


def say(text):
    print(f'\033[1m== {text}\033[0m', flush=True)


def die(text):
    sys.exit(f'walkthrough: {text}')


def sh(*args, check=True, **kw):
    if not check and not shutil.which(args[0]):
        return ''  # not installed yet: nothing to clean up or to stop
    p = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace', **kw)
    if check and p.returncode:
        die(f'{" ".join(args)}: exit status {p.returncode}\n{p.stdout}')
    return p.stdout.strip()


def launcher():
    """Of the build, or, where sbx was installed before and nothing is built, the one that is registered."""
    built = os.path.join(os.environ.get('SBX_BUILD', os.path.join(TOP, 'build')), 'bin/sbx-launch')
    return built if os.path.exists(built) else shutil.which('sbx-launch') or built


class Terminal:
    """A program on a pty of its own, driven by what it prints."""

    def __init__(self, args):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvp(args[0], args)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack('HHHH', 30, 160, 0, 0))
        self.seen = ''

    def wait_for(self, pattern, timeout):
        deadline = time.time() + timeout
        while True:
            m = re.search(pattern, self.seen)
            if m:
                before, self.seen = self.seen[:m.start()], self.seen[m.end():]
                return before
            if time.time() > deadline:
                die(f'no {pattern!r} after {timeout} s; the terminal shows:\n{self.seen[-3000:]}')
            if select.select([self.fd], [], [], 0.5)[0]:
                try:
                    data = os.read(self.fd, 65536)
                except OSError:
                    data = b''
                if not data:
                    die(f'the terminal was closed; it showed:\n{self.seen[-3000:]}')
                self.seen += data.decode(errors='replace')

    def run(self, command, timeout=60):
        """Types a command; what it printed, and its exit status."""
        os.write(self.fd, (command + '\n').encode())
        out = self.wait_for(re.escape(PROMPT), timeout)
        os.write(self.fd, b'echo status=$?\n')
        tail = self.wait_for(re.escape(PROMPT), 20)
        status = int(re.search(r'status=(\d+)', tail.split('\n', 1)[1]).group(1))
        lines = [re.sub(r'\x1b\[[0-9;?]*[a-zA-Z]', '', l.split('\r')[-1] or l.split('\r')[0]) for l in out.replace('\r\n', '\n').split('\n')[1:]]
        return '\n'.join(lines).rstrip('\n'), status

    def close(self):
        os.write(self.fd, b'exit\n')
        deadline = time.time() + 30
        while time.time() < deadline:
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    if not os.read(self.fd, 65536):
                        break
                except OSError:
                    break
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


# What may differ between two runs of one program: times, sizes, speeds, ids, addresses.
NOISE = [(r'= [\d./]+ ms', '= #'), (r'\d+(\.\d+)? ?(ms|s|kB|MB|B|kB/s|MB/s)\b', '#'), (r'0x[0-9a-f]+', '#'), (r'\d{4}-\d\d-\d\d', '#'),
         (r'\d\d:\d\d:\d\d', '#'), (r'\b\d+\.\d+\.\d+\.\d+\b', 'ADDR'), (r'time=\S+', '#'), (r'= [\d./]+ #', '= #'),
         (r'\([\d ,.#/%]+\)', '(#)')]


def plain(text):
    for a, b in NOISE:
        text = re.sub(a, b, text)
    return text


class Step:
    """`compare`: 'all' (the whole output, noise aside), 'status' (the exit status), 'sbx' (only sbx is asked).
    `want`: patterns that both must show; `never`: what none may."""

    def __init__(self, title, command, compare='all', want=(), never=(), timeout=60, status=None):
        self.title, self.command, self.compare = title, command, compare
        self.want, self.never, self.timeout, self.status = want, never, timeout, status


def steps(quick, silent):
    pts = r'Can not write log'
    yield Step('The kernel is ours', 'uname -a', 'sbx', want=[r'sbx'])
    yield Step('What our kernel said when it started (the engine gives SYSLOG)', 'dmesg | head -5', 'sbx', want=[r'sbx'])
    yield Step('A terminal of its own', 'tty; stty size; test -t 0 && echo terminal', want=['/dev/pts/0', '30 160', 'terminal'])
    yield Step('A user and a group with numbers that packages ask for',
               'groupadd -g 101 systemd-journal; useradd -m -g systemd-journal walker; id walker')
    yield Step('Its password', 'printf "Pas5word\\nPas5word\\n" | passwd walker && passwd -S walker | cut -d" " -f1,2', want=['updated successfully', '^walker P'])
    yield Step('Package lists over our own TCP', 'apt-get update >/tmp/update 2>&1; echo $?; tail -1 /tmp/update',
               want=['^0', 'Reading package lists'], timeout=300)
    names = TOOLS + ([] if quick else PACKAGES)
    yield Step('Packages with maintainer scripts',
               f'DEBIAN_FRONTEND=noninteractive apt-get install -y {" ".join(names)} >/tmp/install 2>&1 && echo installed || tail -20 /tmp/install',
               want=['^installed$'], timeout=1800)
    yield Step('Nothing complained of a missing terminal', f'grep -c "{pts}" /tmp/install', want=['^0$'])
    if not quick:
        yield Step('All of it is configured', 'dpkg -l ' + ' '.join(PACKAGES) + " | awk '/^[a-z][a-z] / {print $1, $2}'",
                   want=[f'ii  ?{p}' for p in PACKAGES])
        yield Step('A database server with its own user', 'pg_ctlcluster 15 main start; sleep 3; su postgres -c "psql -tc \'select 6*7\'"',
                   want=['42'], timeout=90)
        yield Step('A web server', 'nginx && bash -c \'exec 3<>/dev/tcp/127.0.0.1/80; printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3; head -1 <&3\'',
                   want=['200 OK'])
        yield Step('A login server', 'mkdir -p /run/sshd; /usr/sbin/sshd; sleep 1; bash -c \'exec 3<>/dev/tcp/127.0.0.1/22; head -1 <&3\'',
                   want=['SSH-2.0-OpenSSH'])
        yield Step('A compiler', 'printf "#include <stdio.h>\\nint main(void){puts(\\"built\\");}" >/tmp/a.c; gcc -o /tmp/a /tmp/a.c && /tmp/a',
                   want=['built'])
    yield Step('The bridge answers', 'ping -c 3 -i 0.2 $(ip route | awk \'/^default/ {print $3}\')', want=[r'3 packets transmitted, 3 received, 0% packet loss'])
    yield Step('Another container answers, by its name', 'ping -c 2 -i 0.2 other', want=[r'PING other', r'2 received'])
    yield Step('A host that is not there', f'ping -c 2 -i 0.2 -W 6 {silent}', want=[r'Destination Host Unreachable', r'100% packet loss'], status=1,
               timeout=30)
    yield Step('Nothing of it is left waiting', 'jobs; echo done', want=['done'])


def check(step, runtime, out, status):
    for w in step.want:
        if not re.search(w, out, re.M):
            die(f'{step.title}: with {runtime}, `{step.command}` shows no {w!r} (exit status {status}):\n{out}')
    for w in step.never:
        if re.search(w, out, re.M):
            die(f'{step.title}: with {runtime}, `{step.command}` shows {w!r}:\n{out}')
    if step.status is not None and status != step.status:
        die(f'{step.title}: with {runtime}, `{step.command}` ends with {status}, not {step.status}:\n{out}')


class Walk:
    def __init__(self, opt):
        self.opt, self.names, self.transcript = opt, [], []
        self.logs = tempfile.mkdtemp(prefix='sbx-walk-')
        self.docker = ['docker'] + (['-H', 'unix://' + opt.daemon] if opt.daemon else [])
        self.was_up = True

    def d(self, *args, **kw):
        return sh(*self.docker, *args, **kw)

    def version(self):
        if not shutil.which('docker'):
            return False
        return subprocess.run([*self.docker, 'version', '--format', '{{.Server.Version}}'], capture_output=True).returncode == 0

    def prepare(self):
        if not self.opt.daemon:
            self.was_up = self.version()
            say('building, and registering the runtime')
            print(sh(os.path.join(TOP, 'deploy/docker/setup'), '--runtime', 'sbx-walk', '--', '--debug-log', self.logs, '--strace'))
        elif not self.version():
            die(f'no Docker daemon at {self.opt.daemon}')
        self.runtime = 'sbx-debug' if self.opt.daemon else 'sbx-walk'
        say('importing a Debian image made by debootstrap')
        root = os.environ.get('SBX_ROOT', '/var/cache/sbx/debian-bookworm')
        if 'sbx-debian' not in self.d('images', '--format', '{{.Repository}}'):
            p = subprocess.Popen(['tar', '-C', root, '--exclude=./usr/lib/python3.11/test', '-c', '.'], stdout=subprocess.PIPE)
            self.d('import', '-', 'sbx-debian', stdin=p.stdout)
            if p.wait():
                die(f'tar of {root} failed; run deploy/quickstart first')
        self.d('network', 'rm', NET, check=False)
        self.d('network', 'create', NET)
        self.names.append('sbx-walk-other')
        self.d('run', '-d', '--rm', '--network', NET, '--network-alias', 'other', '--name', 'sbx-walk-other', 'sbx-debian', 'sleep', '7200')
        gateway = self.d('network', 'inspect', NET, '--format', '{{(index .IPAM.Config 0).Subnet}}')
        self.silent = gateway.rsplit('.', 1)[0] + '.222'

    def open(self, runtime):
        name = f'sbx-walk-{runtime}'
        self.names.append(name)
        # the host's package sources, so that no mirror need be named here
        share = []
        for d in ('/etc/apt', '/usr/share/keyrings', '/etc/ssl/certs'):
            if os.path.isdir(d):
                share += ['-v', f'{d}:/host{d}:ro']
        t = Terminal([*self.docker, 'run', '-it', '--rm', '--name', name, '--hostname', 'walk', '--runtime', runtime, '--cap-add', 'SYSLOG', '--network', NET,
                      *share, '-e', 'PS1=' + PROMPT, '-e', 'TERM=dumb', '-e', 'LANG=C.UTF-8', 'sbx-debian', 'bash', '--norc', '--noediting'])
        t.wait_for(re.escape(PROMPT), 60)
        t.run('rm -rf /etc/apt/sources.list /etc/apt/sources.list.d; cp -a /host/. / 2>/dev/null')  # packages write to /etc/apt, so it is not mounted in its place
        if self.opt.apt_proxy:
            t.run(f'echo \'Acquire::http::Proxy "{self.opt.apt_proxy}";\' >/etc/apt/apt.conf.d/zz-walk')
        return t

    def walk(self):
        terms = {'runc': self.open('runc'), self.runtime: self.open(self.runtime)}
        for step in steps(self.opt.quick, self.silent):
            say(step.title)
            got = {}
            for r, t in terms.items():
                if step.compare == 'sbx' and r == 'runc':
                    continue
                got[r] = t.run(step.command, step.timeout)
                check(step, r, *got[r])
            out, status = got[self.runtime]
            print(f'walk# {step.command}\n{out}')
            self.transcript.append((step.title, step.command, out))
            if step.compare == 'sbx':
                continue
            if got['runc'][1] != status:
                die(f'exit status {status}, with runc {got["runc"][1]}')
            if step.compare == 'all' and plain(got['runc'][0]) != plain(out):
                die(f'with runc it is:\n{got["runc"][0]}')
        self.id = self.d('inspect', '--format', '{{.Id}}', f'sbx-walk-{self.runtime}')
        for r, t in terms.items():
            status = t.close()
            if status != 0:
                die(f'docker run with {r} ended with {status}')

    def show_logs(self):
        launch = launcher()
        folder = self.logs
        if self.opt.daemon:
            args = self.d('info', '--format', '{{json .Runtimes}}')
            folder = re.search(r'"--debug-log","([^"]+)"', args).group(1)
        text = sh(launch, '--debug-log', folder, 'logs', self.id)
        say('What sbx wrote down of it: sbx-launch logs ID')
        for title, pattern, count in (
                ('how many host calls each process of the sandbox may make', r'installing seccomp filter', 6),
                ('programs that were started', r' execve\(.* = 0 ', 6),
                ('maintainer scripts among them', r' execve\("/var/lib/dpkg/.* = 0 ', 6),
                ('connections that were made', r' connect\(.*AF_INET.*\) = (0|-1 EINPROGRESS)', 4),
                ('what went to the host that does not answer', re.escape(' sendto(') + '.*' + re.escape(self.silent), 2),
                ('files of the host that were opened for it', r' fsd: open .* = 0$', 4)):
            found = [l for l in text.split('\n') if re.search(pattern, l)]
            if not found:
                die(f'the log has nothing of: {title}')
            print(f'-- {title} ({len(found)} lines)')
            shown = '\n'.join(l if len(l) <= WIDTH else l[:WIDTH - 3] + '...' for l in found[:count])
            print(shown)
            if len(found) > count:
                shown += f'\n... {len(found) - count} more'
            self.transcript.append(('In the log: ' + title, f"sbx-launch logs ID | grep -E '{pattern}'", shown))

    def write(self):
        with open(self.opt.transcript, 'w') as f:
            f.write(GUIDE)
            for title, command, out in self.transcript:
                out = re.sub(r'https?://[^ /]+', 'http://MIRROR', out)
                f.write(f'\n## {title}\n\n    # {command}\n' + ''.join(f'    {l}'.rstrip() + '\n' for l in out.split('\n')))

    def stop_daemon(self):
        """Of deploy/docker/setup, which starts it where it did not run."""
        if os.path.isdir('/run/systemd/system'):
            sh('systemctl', 'stop', 'docker.service', 'docker.socket', check=False)
            return
        try:
            with open('/var/run/docker.pid') as f:
                pid = int(f.read())
            os.kill(pid, signal.SIGTERM)
            deadline = time.time() + 40
            while os.path.isdir(f'/proc/{pid}') and time.time() < deadline:
                time.sleep(0.1)
        except (OSError, ValueError):
            pass  # it did not come up

    def clean(self):
        for n in self.names:
            self.d('rm', '-f', n, check=False)
        self.d('network', 'rm', NET, check=False)
        if not self.opt.daemon:
            launch = launcher()
            sh(launch, 'uninstall', '--runtime', 'sbx-walk', check=False)
            if not self.was_up:
                self.stop_daemon()
        shutil.rmtree(self.logs, ignore_errors=True)


def main():
    p = argparse.ArgumentParser(prog='walkthrough', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--quick', action='store_true')
    p.add_argument('--transcript')
    p.add_argument('--daemon')
    p.add_argument('--apt-proxy')
    w = Walk(p.parse_args())
    if os.geteuid():
        die('needs root')
    signal.signal(signal.SIGTERM, lambda *a: sys.exit(143))
    try:
        w.prepare()
        w.walk()
        w.show_logs()
        if w.opt.transcript:
            w.write()
    finally:
        w.clean()
    say('the walk is over; nothing differed')


if __name__ == '__main__':
    main()
