"""What there is on the host of ours: processes, mounts, cgroups, descriptors of the daemons, links, namespaces, files,
keys, firewall rules and memory. Everything that the test starts is below it, since it takes all orphans (child
subreaper), and /tmp, /run and /dev/shm are its own, so that other work on the machine is not counted."""
import ctypes, os, re, signal, subprocess, time

PR_SET_CHILD_SUBREAPER = 36
MS_NOSUID, MS_NODEV = 2, 4
libc = ctypes.CDLL(None, use_errno=True)
SIGNALS = {int(s): s.name for s in signal.Signals}


class Failed(Exception):
    pass


def take_over(folders=('/tmp', '/run', '/dev/shm')):
    """In a mount namespace of our own."""
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for folder in folders:
        if libc.mount(b'tmpfs', folder.encode(), b'tmpfs', MS_NOSUID | MS_NODEV, b'mode=1777'):
            raise OSError(ctypes.get_errno(), f'tmpfs on {folder}')


def read(path, default=''):
    try:
        with open(path, errors='replace') as f:
            return f.read()
    except OSError:
        return default


def comm(pid):
    return read(f'/proc/{pid}/comm').strip()


def parent(pid):
    """(pid of the parent, state)"""
    stat = read(f'/proc/{pid}/stat')
    fields = stat.rsplit(')', 1)[-1].split()
    return (int(fields[1]), fields[0]) if len(fields) > 1 else (0, 'X')


def descendants(pid=None):
    kids = {}
    for p in os.listdir('/proc'):
        if p.isdigit():
            kids.setdefault(parent(p)[0], []).append(int(p))
    found, todo = [], list(kids.get(pid or os.getpid(), []))
    while todo:
        p = todo.pop()
        found.append(p)
        todo += kids.get(p, [])
    return found


def reap(keep=()):
    """Takes the orphans that have ended; keep: children that somebody else waits for."""
    for pid in read(f'/proc/self/task/{os.getpid()}/children').split():
        if int(pid) not in keep and parent(pid)[1] == 'Z':
            try:
                os.waitpid(int(pid), os.WNOHANG)
            except ChildProcessError:
                pass


def tree(*tops):
    found = set()
    for top in tops:
        for d, dirs, files in os.walk(top):
            found.update(os.path.join(d, x) for x in dirs + files)
    return found


def rss(pid):
    m = re.search(r'^VmRSS:\s*(\d+)', read(f'/proc/{pid}/status'), re.M)
    return int(m[1]) if m else 0


def pss(pid):
    m = re.search(r'^Pss:\s*(\d+)', read(f'/proc/{pid}/smaps_rollup'), re.M)
    return int(m[1]) if m else 0


def meminfo(key):
    m = re.search(rf'^{key}:\s*(\d+)', read('/proc/meminfo'), re.M)
    return int(m[1]) if m else 0


def lines(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()


class Host:
    """One look. `things` must be the same later; `memory` (KiB) may differ."""
    def __init__(self, engine, cgroup):
        reap(keep=(engine.daemon.pid,))
        pids = descendants()
        daemons = {comm(p): p for p in pids if comm(p) in ('dockerd', 'containerd')}
        fds = {}
        for name, pid in daemons.items():
            try:
                fds[name] = [os.readlink(f'/proc/{pid}/fd/{fd}') for fd in os.listdir(f'/proc/{pid}/fd')]
            except OSError:
                fds[name] = []
        self.things = {
            'processes': sorted(f'{comm(p)}' for p in pids if comm(p) != 'ip'),
            'mounts': sorted(x.split()[4] for x in read('/proc/self/mountinfo').splitlines()),
            'cgroups': sorted(p for top in os.listdir('/sys/fs/cgroup') for p in tree(f'/sys/fs/cgroup/{top}/{cgroup}')
                              if os.path.isdir(p)) + sorted(p for p in tree(f'/sys/fs/cgroup/{cgroup}') if os.path.isdir(p)),
            'links': sorted(x.split(':')[1].strip() for x in lines('ip', '-o', 'link')),
            'namespaces': sorted({os.readlink(f'/proc/{p}/ns/{n}') for p in pids for n in ('net', 'mnt', 'pid', 'ipc', 'uts', 'user')
                                  if os.path.exists(f'/proc/{p}/ns/{n}')}),
            'rules': sorted(x for x in lines('iptables-save') if x.startswith('-')),
            'files': sorted(p for p in tree('/tmp', '/run', '/dev/shm', engine.work) if not transient(engine, p)),
        }
        self.fds = fds
        self.memory = {'daemons': sum(rss(p) for p in daemons.values()), 'kernel': meminfo('SUnreclaim') + meminfo('KernelStack')
                       + meminfo('PageTables') + meminfo('Percpu'), 'shared': meminfo('Shmem'), 'available': meminfo('MemAvailable')}

    def counts(self):
        return {**{k: len(v) for k, v in self.things.items()}, **{f'descriptors of {k}': len(v) for k, v in self.fds.items()}}

    def new_since(self, before):
        """What there is now and was not then, by kind."""
        out = {}
        for kind, now in self.things.items():
            then = list(before.things[kind])
            for x in list(now):
                if x in then:
                    then.remove(x)
                else:
                    out.setdefault(kind, []).append(x)
        for name, now in self.fds.items():
            # a few come and go: connections that are idle, a watch
            if len(now) > len(before.fds.get(name, [])) + 6:
                out[f'descriptors of {name}'] = sorted(now)
        return out


def transient(engine, path):
    """What the engine keeps for itself, with or without containers."""
    rest = path[len(engine.work):] if path.startswith(engine.work) else ''
    # a name in exec/netns is collected once a minute; what was mounted there counts as a mount
    return rest.startswith(('/data/network/', '/data/buildkit/', '/data/containerd/', '/exec/netns/', '/exec/libnetwork/', '/log')) or rest in ('/exec/runtime-runc', '/exec/runtime-runc/moby') or rest.endswith('.tmp')


def settled(engine, cgroup, before, grace=20, ignore=lambda path: False):
    """Looks until nothing is new, but for files that are ignored; (the last look, what is left)."""
    deadline = time.time() + grace
    while True:
        now = Host(engine, cgroup)
        left = now.new_since(before)
        if 'files' in left:
            left['files'] = [x for x in left['files'] if not ignore(x)]
            left = {k: v for k, v in left.items() if v}
        if not left or time.time() > deadline:
            return now, left
        time.sleep(0.3)
