'use strict';
/*
 * What a killed test told cron to run, in the files of /etc/cron.d and in crontabs. Only what names a home inside a directory of
 * a test is looked at; all other files and lines stay as they are.
 */
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const cronDirectory = '/etc/cron.d';
/** Debian's and others'; only root can see in there. */
const spools = ['/var/spool/cron/crontabs', '/var/spool/cron'];

/** `holdfast-test-<pid>-<random>` of the home that an entry names; undefined for the home of a person. */
function testDirectoryIn(entry) {
  const [, quoted, plain] = /\bHOLDFAST_HOME=(?:'([^']*)|(\S+))/.exec(entry) ?? [];
  const [first] = path.relative(os.tmpdir(), quoted ?? plain ?? '').split(path.sep);
  return /^holdfast-test-\d+-/.test(first) ? first : undefined;
}

const attempt = (action, otherwise) => {
  try {
    return action();
  } catch {
    return otherwise;
  }
};

/** Removes the entries of the test directories that `isWanted` (it gets their names). */
function sweepSchedules(isWanted) {
  const belongs = entry => {
    const directory = testDirectoryIn(entry);
    return directory !== undefined && isWanted(directory);
  };
  for (const name of attempt(() => fs.readdirSync(cronDirectory), [])) {
    const file = path.join(cronDirectory, name);
    if (name.startsWith('holdfast-') && belongs(attempt(() => fs.readFileSync(file, 'utf8'), '')))
      attempt(() => fs.rmSync(file, { force: true }));
  }
  for (const user of crontabUsers()) attempt(() => sweepCrontab(user, belongs));
}

/** As arguments of crontab: root's run sees everybody's, anybody else's only its own. */
function crontabUsers() {
  if (process.getuid?.() !== 0) return [[]];
  const found = spools.flatMap(spool =>
    attempt(() => fs.readdirSync(spool, { withFileTypes: true }), [])
      .filter(entry => entry.isFile())
      .map(({ name }) => name),
  );
  return [...new Set(found)].map(user => ['-u', user]);
}

function sweepCrontab(user, belongs) {
  const crontab = (args, input) =>
    execFileSync('crontab', [...user, ...args], {
      input,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'ignore'],
    });
  const found = crontab(['-l']);
  const block = /^# BEGIN (holdfast-\S+): written by Holdfast\n[^]*?^# END \1\n/gm;
  const kept = found.replace(block, text => (belongs(text) ? '' : text));
  if (kept !== found) crontab(['-'], kept);
}

module.exports = { sweepSchedules };
