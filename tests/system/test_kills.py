#!/usr/bin/env python3
"""Any process of a sandbox is killed at any moment, its coming and its going too. What stays is nothing, and the command
line comes back. SBX_SEED repeats a run, SBX_ROUNDS makes it longer."""
import os, random, signal, subprocess, time
from sbxtest import SandboxTest, comm, descendants, main

ROUNDS = int(os.environ.get('SBX_ROUNDS', '15'))
SEED = int(os.environ.get('SBX_SEED', time.time()))


class Kills(SandboxTest):
    def some(self, rng):
        """A moment: most of what can go wrong is in the first tenth of a second."""
        time.sleep(rng.choice([rng.uniform(0, 0.03), rng.uniform(0, 0.15), rng.uniform(0.1, 0.4)]))

    def kill_one(self, rng, hits):
        ours = [p for p in descendants() if comm(p).startswith('sbx-')]
        if not ours:
            return None
        pid = rng.choice(ours)
        what = comm(pid)
        hits[what] = hits.get(what, 0) + 1
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        return what

    def ended(self, p, what, i):
        try:
            p.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            left = [(q, comm(q)) for q in descendants()]
            self.fail(f'round {i} (SBX_SEED={SEED}), {what} killed: no end; {left}')

    def rounds(self, start):
        rng, hits = random.Random(SEED), {}
        self.config('sh', '-c', 'for i in 1 2 3 4 5 6; do (echo $i >/tmp/f; cat /tmp/f | cat; sleep 0.02); done')
        for i in range(ROUNDS):
            what = start(rng, hits, i)
            self.sbx('delete', '--force', 'box', timeout=60)
            try:
                self.assert_nothing_left(grace=15)
            except AssertionError as e:
                self.fail(f'round {i} (SBX_SEED={SEED}), {what} killed: {e}')
        print(hits, end=' ', flush=True)

    def test_run(self):
        def start(rng, hits, i):
            p = self.start('run', 'box')
            self.some(rng)
            what = self.kill_one(rng, hits)
            if what != 'sbx-guest':  # what the death of one guest process means is the program's affair
                self.ended(p, what, i)
            else:
                p.kill()
                p.communicate()
            return what
        self.rounds(start)

    def test_fsd_in_create(self):
        """It is started again, and create neither fails nor waits for the supervisor's end."""
        rng = random.Random(SEED)
        self.config('sh', '-c', 'echo >&2 there')
        for i in range(12):
            p = self.start('create', 'box', stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            deadline = time.time() + 5
            while not (fsd := [q for q in descendants() if comm(q) == 'sbx-fsd']) and time.time() < deadline:
                time.sleep(0.001)
            time.sleep(rng.uniform(0, 0.02))
            for q in fsd:
                os.kill(q, signal.SIGKILL)
            self.ended(p, 'fsd', i)
            if p.returncode == 0:  # else it was killed before it was ready
                self.assertEqual(self.status('box'), 'created')
                self.assert_ok(self.sbx('start', 'box'))
            self.sbx('delete', '--force', 'box')

    def test_create_is_killed(self):
        """Nobody knows of the supervisor then: it undoes what it made."""
        self.config('sleep', '100', hooks__createRuntime=[{'path': '/bin/sleep', 'args': ['sleep', '1']}])
        p = self.start('create', 'box', stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while self.status('box') != 'creating':
            time.sleep(0.01)
        p.kill()
        p.wait()
        self.assert_nothing_left(grace=20)

    def in_create(self, seconds):
        """A create that stands still in a hook, with groups made."""
        self.config('sleep', '100', hooks__createRuntime=[{'path': '/bin/sleep', 'args': ['sleep', str(seconds)]}],
                    linux__resources={'memory': {'limit': 1 << 28}})
        p = self.start('create', 'box', stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while 'sleep' not in [comm(q) for q in descendants()]:
            time.sleep(0.01)
        return p

    def test_deleted_in_create(self):
        """As a shim does it when its create was killed: the hook goes too, and no group comes afterwards."""
        p = self.in_create(100)
        self.assert_ok(self.sbx('delete', '--force', 'box', timeout=20))
        self.ended(p, 'supervisor', 0)
        self.assertNotEqual(p.returncode, 0)
        self.assert_nothing_left(grace=2)

    def test_janitor_in_create(self):
        """Nobody else knows the groups but the supervisor."""
        p = self.in_create(1)
        for q in descendants():
            if comm(q) == 'sbx-janitor':
                os.kill(q, signal.SIGKILL)
        self.ended(p, 'janitor', 0)
        self.assertNotEqual(p.returncode, 0)
        self.assert_nothing_left(grace=2)

    def test_delete_is_killed(self):
        """What it has begun is done to its end."""
        rng = random.Random(SEED)
        self.config('sleep', '100', linux__resources={'memory': {'limit': 1 << 28}})
        for i in range(5):
            self.assert_ok(self.sbx('run', '-d', 'box'))
            p = self.start('delete', '--force', 'box')
            while len(descendants(p.pid)) == 0 and p.poll() is None:
                time.sleep(0.001)
            time.sleep(rng.uniform(0, 0.02))
            p.kill()
            p.communicate()
            self.assert_nothing_left()

    def test_create_and_start(self):
        """As an engine does it; the command that runs at that moment may fail."""
        def start(rng, hits, i):
            p, out = None, []
            victim_at = rng.randrange(3)
            what = None
            for k, verb in enumerate(('create', 'start', 'delete')):
                args = ['box'] if verb != 'delete' else ['--force', 'box']
                p = self.start(verb, *args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                if k == victim_at:
                    self.some(rng)
                    what = self.kill_one(rng, hits)
                self.ended(p, f'{what} in {verb}', i)
            return what
        self.rounds(start)


if __name__ == '__main__':
    main()
