"""Runs one of Python's own test modules inside the root and writes a line for each case as it ends.

  python3 python_case.py MODULE RESULTS [SKIP...]

The file RESULTS gets `start ID`, then `ok`, `skip`, `fail` or `error` with the id. A case that hangs shows as a start
without an end. Ids in SKIP are not run."""
import sys, unittest


class Result(unittest.TextTestResult):
    out, skip = None, ()

    def say(self, word, test):
        self.out.write(f'{word} {test.id()}\n')
        self.out.flush()

    def startTest(self, test):
        super().startTest(test)
        self.say('start', test)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.say('ok', test)

    def addError(self, test, err):
        super().addError(test, err)
        self.say('error', test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.say('fail', test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.say('skip', test)

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.say('ok', test)

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.say('fail', test)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.say('fail', test)


def cases(suite):
    for t in suite:
        if isinstance(t, unittest.TestSuite):
            yield from cases(t)
        else:
            yield t


def main():
    import test.support
    module, results, skip = sys.argv[1], sys.argv[2], set(sys.argv[3:])
    sys.argv = [f'/usr/lib/python3.11/test/{module}.py']
    test.support.verbose = 1
    test.support.use_resources = ['cpu', 'subprocess']
    if module == 'test_socketserver':  # is skipped as a whole without it, and needs no more than loopback
        test.support.use_resources.append('network')
    Result.out = open(results, 'a')
    loaded = unittest.defaultTestLoader.loadTestsFromName('test.' + module)
    for t in cases(loaded):
        if t.id() in skip:
            setattr(t, t._testMethodName, unittest.skip('hangs here')(lambda: None))
    done = unittest.TextTestRunner(verbosity=2, resultclass=Result).run(loaded)
    Result.out.write('end\n')
    Result.out.flush()
    sys.exit(not done.wasSuccessful())


if __name__ == '__main__':
    main()
