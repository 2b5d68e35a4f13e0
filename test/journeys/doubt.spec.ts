import { waitFor } from '../support/wait-for';
import { SendingStack } from '../worker/sending-stack';

describe('messages in doubt', () => {
  let stack: SendingStack;

  beforeAll(async () => {
    stack = await SendingStack.start({ inDoubtAfterMs: 2_000 });
    await stack.account({ maxSendRate: 200 });
    await stack.startWorker();
  });
  afterAll(() => stack.close());

  // A hanging request ends long after the last of its neighbours: around its end nobody sends any more.
  it('whose requests hung while all others went are sent again, once', async () => {
    const tenant = await stack.tenant('patient');
    await stack.aws.addFault({ operation: 'SendEmail', kind: 'hang', count: 3 });
    const ids = await stack.accept(tenant, 'patient', 60);
    await waitFor(async () => (await stack.judge(ids)).lost === 3, { what: 'the others' });
    await waitFor(async () => (await stack.judge(ids)).lost === 0, { what: 'those that hung', withinMs: 30_000 });
    expect((await stack.judge(ids)).duplicated).toBe(0);
    await waitFor(async () => (await stack.states(tenant))['SENT'] === 60, { what: 'the outcomes' });
  });
});
