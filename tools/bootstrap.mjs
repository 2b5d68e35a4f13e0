/**
 * What every entry program needs before the project's own code can run: a Node that is new enough, installed packages and a
 * current build. Plain JavaScript on Node's own modules, because it runs in a fresh clone where node_modules does not exist.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** Lowest Node the project runs on; the same as `engines` in package.json, repeated because this check comes first. */
const lowestNode = [20, 19];
const installMarker = path.join(root, 'node_modules', '.postfleet-install');
const buildMarker = path.join(root, 'dist', '.postfleet-build');
const lockFolder = path.join(root, '.data', 'prepare.lock');
const toolFile = path.join(lockFolder, 'tool');
const lockPatienceMs = 10 * 60_000;

/** Progress goes to stderr: stdout belongs to the program that runs afterwards (its `--json` line must stay alone there). */
function say(line) {
  process.stderr.write(`${line}\n`);
}

/** Ends the process with one readable message instead of a stack trace. */
export function fail(message) {
  say(`error: ${message}`);
  process.exit(1);
}

export function checkNode(version = process.versions.node) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > lowestNode[0] || (major === lowestNode[0] && minor >= lowestNode[1])) return;
  fail(
    `Node ${lowestNode.join('.')} or newer is needed, this is ${version}. Install a current release from https://nodejs.org`,
  );
}

/** True when the user only asks for the manual, which must work in a fresh clone without any install. */
export function wantsHelp(args) {
  const end = args.indexOf('--');
  return (end === -1 ? args : args.slice(0, end)).some((argument) => argument === '--help' || argument === '-h');
}

/**
 * Installs and builds what is missing or out of date. Two programs started at the same moment take turns.
 * @param {{ build?: boolean }} wanted
 */
export async function prepare({ build = true } = {}) {
  checkNode();
  if (isInstalled() && (!build || isBuilt())) return;
  const release = await takeTurn();
  try {
    if (!isInstalled()) await install();
    if (build && !isBuilt()) await compile();
  } finally {
    release();
  }
}

/** Replaces this program by a built one, in the same process: signals, exit code and pid are simply its own. */
export function become(builtFile, args) {
  const file = path.join(root, 'dist', builtFile);
  if (!existsSync(file))
    fail(`${path.relative(root, file)} is missing although the build succeeded; is its source there?`);
  process.argv = [process.argv[0], file, ...args];
  createRequire(import.meta.url)('node:module').runMain(file);
}

/** Runs a built program to its end as a process of its own and answers its exit code. */
export function runBuilt(builtFile, args) {
  return spawnToEnd(process.execPath, [path.join(root, 'dist', builtFile), ...args]);
}

/**
 * Runs a command to its end with this program's own input and output; a signal for us is passed on to it.
 * @param {(chunk: Buffer) => void} [hear] takes what it writes instead of our own output
 */
export function spawnToEnd(command, args, hear) {
  return new Promise((resolve) => {
    const output = hear ? 'pipe' : 'inherit';
    const child = spawn(command, args, { cwd: root, stdio: ['inherit', output, output] });
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', hear);
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    const pass = (signal) => child.kill(signal);
    for (const signal of signals) process.on(signal, pass);
    child.on('error', (error) => fail(`${command} could not be started: ${error.message}`));
    // 'close', not 'exit': what it wrote last may still be on its way.
    child.on(hear ? 'close' : 'exit', (code, signal) => {
      for (const name of signals) process.off(name, pass);
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

function isInstalled() {
  return readIfThere(installMarker) === installHash();
}

function installHash() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} ${process.versions.modules}\n`);
  for (const file of ['package.json', 'package-lock.json']) hash.update(readIfThere(path.join(root, file)) ?? '');
  return hash.digest('hex');
}

async function install() {
  const started = performance.now();
  say('installing packages (npm install) ...');
  // `npm install`, not `npm ci`: npm 11's `ci` refuses a lock file that lists optional binaries of other platforms which the
  // registry in use does not carry. `--include=dev`: the compiler is a dev dependency, and NODE_ENV=production may be set.
  await run('npm', ['install', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], 'npm install');
  writeFileSync(installMarker, installHash());
  say(`installed in ${seconds(started)} s`);
}

function isBuilt() {
  return readIfThere(buildMarker) === sourceHash();
}

async function compile() {
  const started = performance.now();
  say('building (npm run build) ...');
  const hash = sourceHash();
  // The compiler skips what its record calls up to date; without our marker nobody knows whether that is still there.
  if (!existsSync(buildMarker)) rmSync(path.join(root, 'dist/.tsbuildinfo'), { force: true });
  await run('npm', ['run', '--silent', 'build'], 'npm run build');
  removeOrphans(path.join(root, 'dist'));
  writeFileSync(buildMarker, hash);
  say(`built in ${seconds(started)} s`);
}

const builtFolders = ['apps', 'bench', 'faults', 'libs', 'migrations', 'simulation', 'tools'];

/** Content, not modification times: a checkout or a container copy touches every file without changing one. */
function sourceHash() {
  const hash = createHash('sha256');
  const files = ['tsconfig.json', 'tsconfig.build.json', 'nest-cli.json', 'package-lock.json'];
  for (const folder of builtFolders) files.push(...sourcesIn(folder));
  for (const file of files) hash.update(`${file}\n${readIfThere(path.join(root, file)) ?? ''}\n`);
  return hash.digest('hex');
}

function sourcesIn(folder) {
  if (!existsSync(path.join(root, folder))) return [];
  return (
    readdirSync(path.join(root, folder), { recursive: true })
      // The compiler copies JSON that is imported, prices for example.
      .filter((file) => (file.endsWith('.ts') && !file.endsWith('.spec.ts')) || file.endsWith('.json'))
      .map((file) => path.join(folder, file))
      .sort()
  );
}

/** The compiler never deletes: the output of a removed migration would still be found and run. */
function removeOrphans(dist) {
  for (const file of readdirSync(dist, { recursive: true })) {
    if (!file.endsWith('.js') || !builtFolders.includes(file.split(path.sep)[0])) continue;
    if (existsSync(path.join(root, file.replace(/\.js$/, '.ts')))) continue;
    for (const suffix of ['', '.map']) rmSync(path.join(dist, `${file}${suffix}`), { force: true });
  }
}

/** A folder is the lock because creating one is atomic everywhere; the pid inside tells a live owner from a killed one. */
async function takeTurn() {
  try {
    mkdirSync(path.dirname(lockFolder), { recursive: true });
  } catch (error) {
    failToWrite(path.dirname(lockFolder), error);
  }
  const owner = path.join(lockFolder, 'pid');
  const started = performance.now();
  let told = false;
  for (;;) {
    try {
      mkdirSync(lockFolder);
      writeFileSync(owner, String(process.pid));
      const release = () => rmSync(lockFolder, { recursive: true, force: true });
      process.once('exit', release);
      return () => {
        process.off('exit', release);
        release();
      };
    } catch (error) {
      if (error.code !== 'EEXIST') failToWrite(path.dirname(lockFolder), error);
    }
    if (isAbandoned(owner)) {
      breakLock(readIfThere(owner));
      continue;
    }
    if (!told) say('another start of this folder is installing or building; waiting for it ...');
    told = true;
    if (performance.now() - started > lockPatienceMs) {
      fail(
        `waited ${lockPatienceMs / 60_000} minutes for process ${readIfThere(owner)}, which holds ${lockFolder}. Stop it, or delete that folder.`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** A clone of somebody else (made with sudo, for example), a read-only or a full disk. */
function failToWrite(folder, { code }) {
  fail(
    `${folder} cannot be written (${code}), and what is installed and built goes beside it. Run this as the owner of ${root}, or from a clone in a folder of your own; look whether the disk is full`,
  );
}

function isAbandoned(owner) {
  const pid = Number(readIfThere(owner));
  // An install goes on when the program that started it is killed, and a second one beside it would spoil both.
  if (pid > 0) return !isAlive(pid) && !isAlive(Number(readIfThere(toolFile)));
  // Killed between creating the folder and writing the pid; a moment of grace for one that is just about to write it.
  const created = statSync(lockFolder, { throwIfNoEntry: false })?.mtimeMs;
  return created !== undefined && performance.timeOrigin + performance.now() - created > 5_000;
}

/** Moves the dead lock aside before deleting it, so that of two waiting programs only one breaks it. */
function breakLock(deadPid) {
  const aside = `${lockFolder}.${process.pid}`;
  try {
    renameSync(lockFolder, aside);
  } catch {
    return; // the other one was faster
  }
  if (readIfThere(path.join(aside, 'pid')) === deadPid) rmSync(aside, { recursive: true, force: true });
  else renameSync(aside, lockFolder); // somebody had taken it anew in between: give it back
}

function isAlive(pid) {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Runs a tool with its output on stderr; a signal for us is passed on, so that Ctrl-C leaves nothing behind. */
function run(command, args, name) {
  return new Promise((resolve) => {
    const pass = (signal) => {
      child.kill(signal);
      process.exit(signal === 'SIGINT' ? 130 : 143);
    };
    // Before there is a tool: a signal that came between the two would end us and leave it running.
    process.on('SIGINT', pass);
    process.on('SIGTERM', pass);
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
    if (child.pid !== undefined) writeFileSync(toolFile, String(child.pid));
    child.on('error', (error) => fail(`${name} could not be started: ${error.message}`));
    child.on('exit', (code, signal) => {
      process.off('SIGINT', pass);
      process.off('SIGTERM', pass);
      if (code !== 0) fail(`${name} failed (${signal ?? `exit code ${code}`}); its messages are above`);
      resolve();
    });
  });
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function seconds(started) {
  return ((performance.now() - started) / 1000).toFixed(1);
}
