"""A process of a container dies at any moment of its coming, its life and its end. The engine may report any failure; it must
be able to remove the container, and nothing may stay.

The moments that matter are short: the commands of the runtime last some milliseconds. So the runtime under test is a script
that says on a pipe which command it is about to become, and the blow falls a little later, on that command, on the supervisor,
on a service, on the shim, whatever there is then."""
import json, os, random, select, signal, subprocess, time
from engine import LAUNCH
from leaks import Failed, comm, descendants, read, settled

VERBS = ('create', 'start', 'kill', 'delete')
# says "VERB PID" and becomes the runtime, with the same pid
MARKED = """#!/bin/sh
for a; do case $a in %s) echo $a $$ >%s; sleep 0.02; break;; esac; done
exec %s "$@"
"""
LIFE = 'seq 1000 >/dev/null; (sleep 0.1); echo end'


def runtimes(work, args):
    """For daemon.json: the real ones behind the script."""
    pipe = f'{work}/marks'
    os.mkfifo(pipe)
    found = {}
    for name, program, own in (('runc', 'runc', []), ('sbx', LAUNCH, args)):
        path = f'{work}/marked-{name}'
        with open(path, 'w') as f:
            f.write(MARKED % ('|'.join(VERBS), pipe, program))
        os.chmod(path, 0o755)
        found[f'marked-{name}'] = {'path': path, 'runtimeArgs': own}
    return found


class Marks:
    """What the script says."""
    def __init__(self, work):
        self.fd = os.open(f'{work}/marks', os.O_RDWR | os.O_NONBLOCK)
        self.rest = ''

    def wait(self, verb, timeout):
        """The pid of the next command of that name, None: there was none."""
        deadline = time.time() + timeout
        while (left := deadline - time.time()) > 0:
            while '\n' in self.rest:
                line, self.rest = self.rest.split('\n', 1)
                if line.split()[0] == verb:
                    return int(line.split()[1])
            if select.select([self.fd], [], [], left)[0]:
                self.rest += os.read(self.fd, 4096).decode()
        return None

    def forget(self):
        self.rest = ''
        while select.select([self.fd], [], [], 0)[0]:
            os.read(self.fd, 4096)

    def close(self):
        os.close(self.fd)


def name_of(pid):
    """comm, and the verb when it is the command line."""
    words = read(f'/proc/{pid}/cmdline').split('\0')
    verb = next((w for w in words if w in VERBS), '')
    return comm(pid) + (f' {verb}' if verb and comm(pid) in ('sbx-launch', 'runc', 'marked-sbx', 'marked-runc') else '')


def pick(churn, rng, runtime, command, shims):
    """Who dies: often the command itself, else any process of the container's side."""
    mine = ('sbx-',) if runtime == 'sbx' else ('runc',)
    if not shims and rng.random() < 0.3 and os.path.exists(f'/proc/{command}'):
        return command
    found = [p for p in descendants() if comm(p).startswith(mine)]
    if shims:
        found = [p for p in descendants() if comm(p).startswith('containerd-shim')]
    return rng.choice(found) if found else None


def blow(churn, rng, runtime, marks, verb, shims):
    """Waits for the command and strikes; what was struck."""
    command = marks.wait(verb, 10)
    if command is None:
        return None
    time.sleep(rng.choice([rng.uniform(0, 0.01), rng.uniform(0, 0.05), rng.uniform(0, 0.25)]))
    victim = pick(churn, rng, runtime, command, shims)
    if victim is None:
        return None
    what = name_of(victim)
    try:
        os.kill(victim, signal.SIGKILL)
    except ProcessLookupError:
        return None
    return what


def one_round(churn, rng, runtime, marks, image, name, shims):
    """What was done, for the report; raises Failed when the engine does not come back."""
    verb = rng.choice(VERBS)
    stopped = verb == 'kill' or rng.random() < 0.3  # it is ended from outside, else by itself
    marks.forget()
    p = churn.engine.start_docker('run', '--name', name, f'--runtime=marked-{runtime}', image, 'sh', '-c',
                                  'sleep 100' if stopped else LIFE)
    rm = None
    if stopped and verb in ('kill', 'delete'):
        marks.wait('start', 20)
        time.sleep(0.2)
        rm = churn.engine.start_docker('rm', '-f', name)
    what = blow(churn, rng, runtime, marks, verb, shims)
    text = f'{what} in {verb}{", stopped" if stopped else ""}'
    try:
        if rm:
            rm.communicate(timeout=60)
        elif stopped:
            time.sleep(0.3)
            churn.docker('rm', '-f', name)
        text += f': {p.communicate(timeout=60)[0].decode(errors="replace").strip()[:150]!r}'
    except subprocess.TimeoutExpired:
        for q in (p, rm):
            if q and q.poll() is None:
                q.kill()
        raise Failed(f'{text}: docker does not come back')
    s, out, err = churn.docker('rm', '-f', name, timeout=60)
    if s and 'No such container' not in err:
        raise Failed(f'{text}: rm: {err}')
    return what, text


def engines_own(churn, path):
    """What an engine keeps of a task that it could not remove: pipes, a socket."""
    return path.startswith((f'{churn.engine.work}/exec/containerd/', '/run/containerd/s/'))


def clear_shims(churn, before, what):
    """The shims that the engine forgot end, and with them must go what they held; else Failed."""
    for pid in descendants():
        if comm(pid).startswith('containerd-shim'):
            os.kill(pid, signal.SIGKILL)
    now, left = settled(churn.engine, churn.cgroup, before, 20, lambda path: engines_own(churn, path))
    if left:
        raise Failed(f'{what}: left behind without a shim: {json.dumps({k: v[:6] for k, v in left.items()})}')
    return now


def command_dies(churn, runtime, image):
    """Each command is killed before it has done anything, and the engine does not ask again. What stays, by command: the
    shim of a task that the engine forgot, and what the shim holds."""
    marks, stays = Marks(churn.engine.work), {}
    try:
        for verb in VERBS:
            before, name = churn.look(), f'c-{runtime}-{verb}'
            marks.forget()
            p = churn.engine.start_docker('run', '--name', name, f'--runtime=marked-{runtime}', image, 'sleep', '100')
            if verb in ('kill', 'delete'):
                marks.wait('start', 20)
                time.sleep(0.3)
                rm = churn.engine.start_docker('rm', '-f', name)
            command = marks.wait(verb, 20)
            if command is None:
                raise Failed(f'{runtime} {verb}: the engine did not call it')
            os.kill(command, signal.SIGKILL)
            if verb in ('kill', 'delete'):
                rm.communicate(timeout=60)
            churn.docker('rm', '-f', name)
            p.communicate(timeout=60)
            now, left = settled(churn.engine, churn.cgroup, before, 5)
            stays[verb] = set(left)
            if left:
                clear_shims(churn, before, f'{runtime} {verb}')
    finally:
        marks.close()
    return stays


def commands_die(churn, image):
    stays = {r: command_dies(churn, r, image) for r in ('runc', 'sbx')}
    for verb in VERBS:
        if stays['sbx'][verb] - stays['runc'][verb]:
            raise Failed(f'{verb} killed: {sorted(stays["sbx"][verb])} stay, with runc {sorted(stays["runc"][verb])}')
    print('  as runc, until the shim ends: ' + '; '.join(f'{v}: {", ".join(sorted(k)) or "nothing"}' for v, k in stays['sbx'].items()))


def may_stay(what):
    """The engine gives up on a task whose start or delete died (commands_die): the shim is its own."""
    return (what or '').endswith((' start', ' delete'))


def chaos(churn, image, count, seed, runtime='sbx', shims=False, verbose=False):
    rng, hits, marks, forgotten = random.Random(seed), {}, Marks(churn.engine.work), 0
    before = churn.look()
    try:
        for i in range(count):
            what, text = one_round(churn, rng, runtime, marks, image, f'x{i}', shims)
            hits[what] = hits.get(what, 0) + 1
            text = f'round {i} (seed {seed}): {text}'
            if verbose:
                print('  ' + text, flush=True)
            now, left = settled(churn.engine, churn.cgroup, before, 1 if may_stay(what) else 20,
                                lambda path: shims and engines_own(churn, path))
            if left and not may_stay(what):
                raise Failed(f'{text}: left behind: {json.dumps({k: v[:12] for k, v in left.items()})}')
            if left:
                forgotten += 1
                before = clear_shims(churn, before, text)
    finally:
        marks.close()
    killed = ', '.join(f'{k} {v}' for k, v in sorted(hits.items(), key=lambda x: -x[1]) if k)
    print(f'  {count} rounds (seed {seed}), killed: {killed}; {forgotten} shims of a start or delete that died')
