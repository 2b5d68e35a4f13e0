import { SetMetadata } from '@nestjs/common';

export const TICK = Symbol('runs again and again');

export interface TickSettings {
  readonly name: string;
  /** Pause after the end of one run before the next begins, milliseconds of real time. */
  readonly everyMs: number;
  /** What it does goes by dates: not while the clock of this host is wrong. */
  readonly byDate?: true;
}

/** What a tick answers that has done a part of its work: the next part follows without a pause, unless the process is to stop. */
export const NOT_DONE = Symbol('there is more to do');

/** Marks a method that runs for as long as the process does. Any number of processes may run it at once. */
export const Tick = (settings: TickSettings): MethodDecorator => SetMetadata(TICK, settings);
