import type { Dispatcher } from 'undici';
import { classifyBreak, faultOf, type SendFailure } from './send-outcome.policy';

const DEADLINE_CODE = 'DeadlinePassed';

const ASCII = /^[\u0020-\u007e]*$/;

/** Nothing was sent, because the time for it was over before it began. */
export const DEADLINE_PASSED: SendFailure = {
  kind: 'unsent',
  code: DEADLINE_CODE,
  message: 'The time for this call was over before it began.',
};

/** What a whole answer of SES means. `errorType`: the header x-amzn-errortype. */
export type ReadAnswer<Outcome> = (status: number, errorType: string | undefined, body: string) => Outcome;

/**
 * One request and what became of it, as undici's own callbacks: a promise, a stream and an abort signal for each
 * message cost more than everything else on this path.
 *
 * undici calls `onRequestStart` at one place, right before it writes the first byte. Before that nothing is on the wire,
 * whatever failed; from then on everything that is no complete answer is in doubt.
 */
export class SendExchange<Outcome> implements Dispatcher.DispatchHandler {
  private controller: Dispatcher.DispatchController | undefined;
  private timer: NodeJS.Timeout | undefined;
  private status = 0;
  private errorType: string | undefined;
  private body = '';

  /** `settle` is called once. `limitMs`: for everything from now on, waiting for a connection included. */
  constructor(
    private settle: ((outcome: Outcome | SendFailure) => void) | undefined,
    private readonly read: ReadAnswer<Outcome>,
    limitMs: number,
  ) {
    this.timer = setTimeout(() => {
      this.expire();
    }, limitMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // To throw is how a request is withdrawn here: an abort would take the idle connection with it.
    if (this.settle === undefined) throw new Error('nobody waits for this request any more');
    if (this.controller !== undefined) throw new Error('a request that sends is written once');
    this.controller = controller;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    this.status = status;
    const type = headers['x-amzn-errortype'];
    this.errorType = typeof type === 'string' ? type : type?.[0];
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    // As bytes, one to one: a character may lie across two chunks.
    this.body += chunk.toString('latin1');
  }

  onResponseEnd(): void {
    const text = ASCII.test(this.body) ? this.body : Buffer.from(this.body, 'latin1').toString();
    this.finish(this.read(this.status, this.errorType, text));
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.finish(classifyBreak(error, this.controller !== undefined));
  }

  /** It could not be given to the pool. */
  fail(error: unknown): void {
    if (this.controller === undefined) this.finish({ kind: 'unsent', ...faultOf(error) });
    else this.finish(classifyBreak(error, true));
  }

  private expire(): void {
    if (this.controller === undefined) {
      this.finish(DEADLINE_PASSED);
      return;
    }
    this.finish({ kind: 'in-doubt', code: DEADLINE_CODE, message: 'SES did not answer in time.' });
    this.controller.abort(new Error('the time for this request is over'));
  }

  private finish(outcome: Outcome | SendFailure): void {
    const { settle } = this;
    if (settle === undefined) return;
    this.settle = undefined;
    clearTimeout(this.timer);
    settle(outcome);
  }
}
