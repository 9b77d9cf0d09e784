'use strict';
/*
 * Cleans up after tests, from outside of them: a test that is killed with SIGKILL can't clean up after itself.
 *   guardian.cjs watch PID    waits until standard input ends, which it does when PID dies, then removes what PID left
 *   guardian.cjs dead         removes what processes that don't exist any more left
 *   guardian.cjs remove DIR…  removes these
 * "Removes" ends the processes that run inside the directory (postmasters, sshd, …), and deletes it and what cron was told to
 * run for a home inside it. Plain Node, so that it starts fast: there is one for each test file.
 */
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { sweepSchedules } = require('./guardian-schedules.cjs');

const pattern = /^holdfast-test-(\d+)-/;

function directories(wanted) {
  const found = [];
  for (const name of fs.readdirSync(os.tmpdir())) {
    const pid = pattern.exec(name)?.[1];
    if (pid !== undefined && wanted(Number(pid))) found.push(path.join(os.tmpdir(), name));
  }
  return found;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** The pids in postmaster.pid files below `directory`; the way where there is no /proc. */
function postmasters(directory, depth = 0) {
  const found = [];
  for (const entry of readDirectory(directory)) {
    const name = path.join(directory, entry.name);
    if (entry.isDirectory() && depth < 8 && entry.name !== 'base' && entry.name !== 'node_modules')
      found.push(...postmasters(name, depth + 1));
    else if (entry.name === 'postmaster.pid') {
      const [pid, dataDirectory] = readText(name).split('\n');
      if (dataDirectory === directory && Number(pid) > 1) found.push(Number(pid));
    }
  }
  return found;
}

/** Processes that work inside `directory` or were started with a path inside it as a whole argument. */
function residents(directory) {
  const inside = text => text === directory || text.startsWith(`${directory}/`);
  const found = [];
  for (const entry of readDirectory('/proc')) {
    const pid = Number(entry.name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const words = readText(`/proc/${pid}/cmdline`).split('\0');
    const values = words.map(word => word.replace(/^-?-?[\w-]+=/, ''));
    if (values.some(inside) || inside(readLink(`/proc/${pid}/cwd`))) found.push(pid);
  }
  return found;
}

const attempt = (action, otherwise) => {
  try {
    return action();
  } catch {
    return otherwise;
  }
};
const readDirectory = name => attempt(() => fs.readdirSync(name, { withFileTypes: true }), []);
const readText = name => attempt(() => fs.readFileSync(name, 'utf8'), '');
const readLink = name => attempt(() => fs.readlinkSync(name), '');
const signal = (pid, name) => attempt(() => process.kill(pid, name), false);
const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

async function remove(directory) {
  const find = () => [...new Set([...postmasters(directory), ...residents(directory)])];
  // SIGQUIT makes a postmaster stop at once, its children with it.
  for (const pid of postmasters(directory)) signal(pid, 'SIGQUIT');
  for (const pid of residents(directory)) signal(pid, 'SIGTERM');
  for (let round = 0; round < 40 && find().some(isAlive); round++) await pause(50);
  for (const pid of find()) signal(pid, 'SIGKILL');
  for (let round = 0; round < 20 && find().some(isAlive); round++) await pause(50);
  // What belongs to another user is left to that user's next run, or to root's.
  attempt(() => fs.rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
}

async function removeOf(wanted) {
  // Before the directories: cron would start anew what is ended there.
  sweepSchedules(name => wanted(Number(pattern.exec(name)?.[1])));
  for (const directory of directories(wanted)) await remove(directory);
}

async function main([mode, ...rest]) {
  if (mode === 'watch') {
    await new Promise(resolve => process.stdin.resume().once('close', resolve).once('error', resolve));
    const pid = Number(rest[0]);
    await removeOf(owner => owner === pid);
  } else if (mode === 'dead') await removeOf(owner => !isAlive(owner));
  else if (mode === 'remove') {
    sweepSchedules(name => rest.includes(path.join(os.tmpdir(), name)));
    for (const directory of rest) await remove(directory);
  } else throw new Error(`guardian.cjs: no such mode: ${mode}`);
}

// Signals that end a whole process group mustn't end the one that tidies up.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => undefined);
void main(process.argv.slice(2));
