import { DataFolder } from './data-folder';
import { failureText } from './failure-report';
import { StackProblem } from './stack-problem';
import { stopLeftovers, Supervisor } from './supervisor';

export interface Session {
  readonly folder: DataFolder;
  readonly supervisor: Supervisor;
  readonly say: (line: string) => void;
  /** Aborted when the session is to end: by a signal or by the unexpected end of a child. */
  readonly ending: AbortSignal;
}

/** After the first signal an impatient second one may hurry the end; the same Ctrl-C often arrives twice through npm. */
const sameSignalMs = 1_000;

/**
 * Runs `work` with a data folder of its own and child processes that all end with it: when it returns, when it throws, on
 * SIGINT, SIGTERM and SIGHUP, and when a child dies. Answers the exit code of the program.
 */
export async function withSupervisor(
  dataFolder: string,
  say: (line: string) => void,
  work: (session: Session) => Promise<void>,
): Promise<number> {
  const folder = new DataFolder(dataFolder);
  const ending = new AbortController();
  let problem: unknown;
  const supervisor = new Supervisor(folder, (failure) => {
    problem ??= failure;
    ending.abort();
  });
  const onSignal = signalHandler(ending, supervisor, say);
  // An error that nobody caught would end this process at once and leave its children behind.
  const onTrouble = (error: unknown) => {
    problem ??= error;
    ending.abort();
    void supervisor.stopAll();
  };
  // Nobody reads any more (`npm start | head`): the reason to end. Without a listener it would be such an error.
  const onDeafReader = () => {
    ending.abort();
    void supervisor.stopAll();
  };
  for (const name of signals) process.on(name, onSignal);
  for (const name of troubles) process.on(name, onTrouble);
  for (const stream of [process.stdout, process.stderr]) stream.on('error', onDeafReader);
  try {
    folder.lock();
    try {
      const left = await stopLeftovers(folder.children);
      if (left.length > 0) say(`stopped what an earlier run had left behind: ${left.join(', ')}`);
      await work({ folder, supervisor, say, ending: ending.signal });
    } finally {
      await supervisor.stopAll();
      folder.unlock();
    }
  } catch (error) {
    problem ??= error;
  } finally {
    for (const name of signals) process.off(name, onSignal);
    for (const name of troubles) process.off(name, onTrouble);
  }
  return report(problem, onSignal.received, folder, say);
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const troubles = ['uncaughtException', 'unhandledRejection'] as const;

interface SignalHandler {
  (name: NodeJS.Signals): void;
  received: boolean;
}

function signalHandler(ending: AbortController, supervisor: Supervisor, say: (line: string) => void): SignalHandler {
  let first = 0;
  const handler: SignalHandler = (name) => {
    if (handler.received) {
      if (performance.now() - first > sameSignalMs) supervisor.hurry();
      return;
    }
    first = performance.now();
    handler.received = true;
    say(`${name} received, stopping ...`);
    ending.abort();
    void supervisor.stopAll();
  };
  handler.received = false;
  return handler;
}

/** Interrupted in the middle of something is neither a success nor a defect: the shell's own number for it. */
function report(problem: unknown, interrupted: boolean, folder: DataFolder, say: (line: string) => void): number {
  if (problem === undefined) return 0;
  if (interrupted) return 130;
  say(failureText(problem, folder.path));
  return problem instanceof StackProblem ? problem.exitCode : 1;
}

/** Resolves when the session is to end. */
export function untilEnding(ending: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (ending.aborted) resolve();
    ending.addEventListener('abort', () => {
      resolve();
    });
  });
}
