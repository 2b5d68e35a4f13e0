import type { Grant, Refusal } from '@libs/quota';

/** How long the pump of an account rests after a reply, milliseconds of engine time. */
export function restAfter(reply: Grant | Refusal, sliceMs: number): number {
  switch (reply.kind) {
    case 'grant':
      // Half a slice of work is out; by then the next half can be granted and the rate clock never idles.
      return sliceMs / 2;
    case 'empty':
      if (reply.why === 'idle') return 40;
      if (reply.why === 'rate') return clamp(reply.retryAtMs - reply.nowMs, 5, Math.max(5, sliceMs));
      if (reply.why === 'day') return clamp(reply.retryAtMs - reply.nowMs, 50, 1_000);
      return 50;
    case 'frozen':
      return clamp(reply.untilMs - reply.nowMs, 5, 500);
    case 'stale':
      return 100;
    case 'clock':
      return 1_000;
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
