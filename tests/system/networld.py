"""Networks that the tests make for themselves: namespaces, pairs of interfaces between them, and bundles whose
container lives in one of them. Nothing of it touches the host's own network."""
import json, os, subprocess, textwrap
from sbxtest import SandboxTest, cgroups, mounts

CAPS = ['CAP_NET_RAW', 'CAP_NET_ADMIN', 'CAP_NET_BIND_SERVICE', 'CAP_KILL', 'CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER',
        'CAP_SETUID', 'CAP_SETGID', 'CAP_SYS_CHROOT', 'CAP_SYS_PTRACE', 'CAP_AUDIT_WRITE']


def run(*args, check=True, **kw):
    return subprocess.run(args, check=check, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw).stdout


def ip(ns, *args):
    return run('ip', '-n', ns, *args)


class NetTest(SandboxTest):
    """A namespace `host` and one for each sandbox, joined by a bridge in `host`: 10.77.0.1/24 and fd77::1/64 are the
    host's, .2 and ::2, .3 and ::3 ... the sandboxes'."""

    SANDBOXES = 1

    def setUp(self):
        super().setUp()
        self.names = []
        self.host = self.new_netns('h')
        ip(self.host, 'link', 'add', 'br0', 'type', 'bridge')
        # no waiting for a spanning tree, and no snooping: the bridge is only a wire here
        ip(self.host, 'link', 'set', 'br0', 'type', 'bridge', 'mcast_snooping', '0')
        ip(self.host, 'link', 'set', 'br0', 'up')
        ip(self.host, 'addr', 'add', '10.77.0.1/24', 'dev', 'br0')
        ip(self.host, 'addr', 'add', 'fd77::1/64', 'dev', 'br0', 'nodad')
        self.boxes = [self.add_box(i) for i in range(self.SANDBOXES)]
        self.before = (mounts(), cgroups())  # namespaces with a name are mounts

    def add_box(self, i):
        ns = self.new_netns(f'b{i}')
        port = f'p{i}'
        run('ip', 'link', 'add', port, 'netns', self.host, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', ns)
        ip(self.host, 'link', 'set', port, 'master', 'br0', 'up')
        ip(ns, 'addr', 'add', f'10.77.0.{i + 2}/24', 'brd', '+', 'dev', 'eth0')
        ip(ns, 'addr', 'add', f'fd77::{i + 2}/64', 'dev', 'eth0', 'nodad')
        ip(ns, 'link', 'set', 'eth0', 'up')
        ip(ns, 'route', 'add', 'default', 'via', '10.77.0.1')
        ip(ns, 'route', 'add', 'default', 'via', 'fd77::1')
        return ns

    def new_netns(self, what):
        name = f'sbxt{os.getpid()}{what}'
        subprocess.run(['ip', 'netns', 'del', name], stderr=subprocess.DEVNULL)
        run('ip', 'netns', 'add', name)
        self.names.append(name)
        ip(name, 'link', 'set', 'lo', 'up')
        return name

    def tearDown(self):
        try:
            super().tearDown()
        finally:
            for name in self.names:
                subprocess.run(['ip', 'netns', 'del', name], stderr=subprocess.DEVNULL)

    def use(self, ns, *args, **changes):
        """Writes a bundle whose container has the network of ns."""
        kinds = [{'type': t} for t in ('pid', 'ipc', 'uts', 'mount')] + [{'type': 'network', 'path': f'/run/netns/{ns}'}]
        changes.setdefault('process__capabilities', {k: CAPS for k in ('bounding', 'effective', 'permitted')})
        return self.config(*args, linux__namespaces=kinds, **changes)

    def box(self, code, *, which=0, name=None, flags=(), **changes):
        """Starts a sandbox that runs a Python program; its output is read with out()."""
        self.use(self.boxes[which], 'python3', '-u', '-c', textwrap.dedent(code), **changes)
        return self.start('run', name or f'net{which}', flags=('--overlay=memory', *flags))

    def outside(self, code, ns=None):
        """Starts a Python program beside the sandboxes."""
        p = subprocess.Popen(['ip', 'netns', 'exec', ns or self.host, 'python3', '-u', '-c', textwrap.dedent(code)], text=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.procs.append(p)
        return p

    def out(self, p, timeout=40, status=0):
        """What it printed, at its end."""
        out, err = p.communicate(timeout=timeout)
        self.assertEqual(p.returncode, status, out + err)
        return out

    def line(self, p):
        """The next line that it prints."""
        line = p.stdout.readline()
        if not line:
            self.fail(f'no more output: {p.communicate()[1]}')
        return line.rstrip('\n')

    def addresses(self, ns):
        return sorted(a['local'] for l in json.loads(ip(ns, '-j', 'addr', 'show', 'dev', 'eth0')) for a in l['addr_info'])

    def routes(self, ns):
        return sorted(line.strip() for f in ('-4', '-6') for line in ip(ns, f, 'route').splitlines())
