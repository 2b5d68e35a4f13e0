import { SetMetadata } from '@nestjs/common';

export const TICK = Symbol('runs again and again');

export interface TickSettings {
  readonly name: string;
  /** Pause after the end of one run before the next begins, milliseconds of real time. */
  readonly everyMs: number;
  /** What it does goes by dates: not while the clock of this host is wrong. */
  readonly byDate?: true;
}

/** Marks a method that runs for as long as the process does. Any number of processes may run it at once. */
export const Tick = (settings: TickSettings): MethodDecorator => SetMetadata(TICK, settings);
