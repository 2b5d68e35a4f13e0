import { IdentityService } from '@libs/fleet';
import type { MessageId } from '@libs/kernel';
import { MessageService } from '@libs/sending';
import { RefusedMail } from './refused-mail';
import type { StagedCrash } from './staged-crash';

describe('an account in the sandbox', () => {
  let refused: RefusedMail;
  let staged: StagedCrash;

  beforeAll(async () => {
    refused = await RefusedMail.start();
    ({ staged } = refused);
    const regions = { 'us-east-1': { productionAccess: false } };
    await staged.stack.aws.putAccount(staged.account.accountId, { regions });
  });
  afterAll(() => refused.close());

  const isVerified = () => refused.inWorker(IdentityService).allVerified(staged.tenant, staged.account.id);
  const dispatched = async (recipients: readonly string[]): Promise<readonly MessageId[]> => {
    const ids = await staged.stack.accept(staged.tenant, 'shop', recipients.length, (i) => ({
      to: [{ email: recipients[i] ?? '' }],
    }));
    await refused.fedUntil(ids.length);
    await refused.dispatchListed();
    return ids;
  };

  it('ends the message to a recipient who is not verified, says why, and goes on with its domain', async () => {
    const [stranger, own] = (await dispatched(['ann@stranger.example', 'ann@shop.example'])) as [MessageId, MessageId];
    expect(await staged.statesOf([stranger])).toEqual(['REJECTED']);
    expect(await staged.statesOf([own])).toEqual(['SENT']);
    const { rows } = await staged.stack.inApi(MessageService).timeline(staged.tenant, stranger, { limit: 10 });
    expect(rows.map(({ summary }) => summary).join('\n')).toMatch(
      /Amazon SES refused the message: .*sandbox.*ann@stranger\.example/,
    );
    expect(await isVerified()).toBe(true);
    const [next] = (await dispatched(['bob@shop.example'])) as [MessageId];
    expect(await staged.statesOf([next])).toEqual(['SENT']);
  });

  it('holds the mail of a domain that is not verified itself, whoever it goes to', async () => {
    const identity = 'shop.example';
    const { accountId: account } = staged.account;
    await staged.stack.aws.verifyIdentity({ account, region: 'us-east-1', identity, status: 'PENDING' });
    const ids = await dispatched(['ann@stranger.example']);
    expect(await staged.statesOf(ids)).toEqual(['READY']);
    expect(await isVerified()).toBe(false);
  });
});
