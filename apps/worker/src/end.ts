import { ProcessEnd } from '@libs/kernel';

/**
 * In a file of its own: it is imported before everything else. The time is what a stop may take in all: slots due, requests
 * under way, outcomes. What is cut off then is in the flight recorder; the next process replays it.
 */
export const end = new ProcessEnd('worker', 14_000);
