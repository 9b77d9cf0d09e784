/*
 * What the tests have to cover: every line and every branch of these. A path that ends with `/` is a folder with all below
 * it but `except`. It is checked whenever all the suites that belong to it run as a whole; each of their runs adds to it.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

export const covered = [
  { path: 'core/', suites: ['unit'] },
  { path: 'policy/', suites: ['policy'] },
  // Neither provisioning nor schedules, which have no part in backing up, judging and restoring.
  {
    path: 'engines/host/',
    except: ['engines/host/postgres/', 'engines/host/provision/', 'engines/host/schedule/'],
    suites: ['unit', 'engine'],
  },
  { path: 'engines/rds/', suites: ['unit', 'rds'] },
  // Nor what `npm start` and `holdfast down` do, which the integration suite runs as programs.
  { path: 'jobs/', except: ['jobs/down/', 'jobs/pulumi/', 'jobs/up/'], suites: ['unit', 'engine', 'rds'] },
];

/** What can be checked when these suites run. */
function checkable(suites) {
  return covered.filter(entry => entry.suites.every(suite => suites.includes(suite)));
}

const directoryOf = directory => path.join(directory, 'coverage');

/** Arguments of jest that make it count for what can be checked; it writes into `directory`. */
export function coverageArguments(suites, directory) {
  const entries = checkable(suites);
  if (entries.length === 0) return [];
  return [
    '--coverage',
    '--coverageReporters=json',
    `--coverageDirectory=${directoryOf(directory)}`,
    ...entries.map(entry => `--collectCoverageFrom=${entry.path.replace(/\/$/, '/**/*.ts')}`),
  ];
}

/**
 * What is not covered, one line for each file. `runs` are those of jest: the checkout that each ran in, and the directory
 * that it wrote into.
 */
export function uncovered(suites, runs) {
  const entries = checkable(suites);
  if (entries.length === 0) return [];
  const map = merge(runs);
  return entries.flatMap(entry => {
    const files = map.files().filter(file => isOf(entry, file));
    if (files.length === 0) return [`${entry.path} was not run at all`];
    const unseen = sourcesOf(entry, runs[0].checkout).filter(file => !files.includes(file));
    return [
      ...unseen.map(file => `${file} was not run at all`),
      ...files.flatMap(file => shortfall(file, map.fileCoverageFor(file))),
    ];
  });
}

function isOf({ path: place, except = [] }, file) {
  const isBelow = folder => folder.endsWith('/') && file.startsWith(folder);
  return (file === place || isBelow(place)) && !except.some(other => file === other || isBelow(other));
}

/** The files of an entry that have something to run: types leave nothing. A file that no test loads isn't counted by jest. */
function sourcesOf(entry, checkout) {
  const require = createRequire(import.meta.url);
  const { transpile } = require('typescript');
  const names = entry.path.endsWith('/')
    ? fs.readdirSync(path.join(checkout, entry.path), { recursive: true }).map(name => entry.path + name)
    : [entry.path];
  return names.filter(name => {
    if (!name.endsWith('.ts') || !isOf(entry, name)) return false;
    const text = fs.readFileSync(path.join(checkout, name), 'utf8');
    return !/^(export \{\};)?$/.test(transpile(text, { module: 99, removeComments: true }).trim());
  });
}

/** The counts of all runs, by paths relative to the checkout. */
function merge(runs) {
  const require = createRequire(import.meta.url);
  const { createCoverageMap } = require('istanbul-lib-coverage');
  const map = createCoverageMap({});
  for (const { checkout, directory } of runs) {
    const file = path.join(directoryOf(directory), 'coverage-final.json');
    if (!fs.existsSync(file)) continue;
    for (const counts of Object.values(JSON.parse(fs.readFileSync(file, 'utf8')))) {
      const relative = path.relative(fs.realpathSync(checkout), counts.path).split(path.sep).join('/');
      map.merge({ [relative]: { ...counts, path: relative } });
    }
  }
  return map;
}

function shortfall(file, coverage) {
  const lines = coverage.getUncoveredLines();
  const branches = Object.entries(coverage.getBranchCoverageByLine())
    .filter(([, { coverage: share }]) => share < 100)
    .map(([line]) => line);
  const said = [
    ...(lines.length > 0 ? [`lines ${lines.join(', ')}`] : []),
    ...(branches.length > 0 ? [`branches in lines ${branches.join(', ')}`] : []),
  ];
  return said.length > 0 ? [`${file}: not covered: ${said.join('; ')}`] : [];
}
