import fc from 'fast-check';
import { identityRefusal } from './identity-refusal.policy';

const content = JSON.stringify({
  from: { email: 'news@mail.shop.example' },
  to: [{ email: 'Ann@example.com', name: 'Ann, of "Shop"' }],
  cc: [{ email: 'boss@shop.example' }],
  bcc: [{ email: 'me@mail.shop.example' }],
  replyTo: [],
});
const said = (list: string) =>
  ({
    kind: 'identity',
    code: 'MessageRejected',
    message: `Email address is not verified. The following identities failed the check in region US-EAST-1: ${list}`,
  }) as const;

describe('an identity that SES has not verified', () => {
  it.each([
    ['a recipient', 'ann@example.com', 'ann@example.com'],
    ['a recipient in other letters', 'ANN@example.com', 'ann@example.com'],
    ['a recipient with a name that holds commas', '"Ann, of \\"Shop\\"" <Ann@example.com>', 'ann@example.com'],
    ['several recipients', 'Ann@example.com, boss@shop.example', 'ann@example.com, boss@shop.example'],
  ])('is the end of the message when it is %s', (_what, list, named) => {
    expect(identityRefusal(said(list), content)).toEqual({
      kind: 'rejected',
      code: 'RecipientNotVerified',
      message: expect.stringMatching(new RegExp(`sandbox.*: ${named}$`)) as unknown,
    });
  });

  it.each([
    ['the sender', 'news@mail.shop.example'],
    ['the sender, beside a recipient', 'news@mail.shop.example, ann@example.com'],
    ['a recipient of the sender’s own domain', 'me@mail.shop.example'],
    ['a domain', 'mail.shop.example'],
    ['of a list that is cut off', 'ann@example.com, ...'],
    ['of a list that is cut off within an item', 'ann@example.com...'],
    ['nobody whom the message knows', 'stranger@example.com'],
    ['not named', ''],
  ])('is the trouble of its domain when it is %s', (_what, list) => {
    expect(identityRefusal(said(list), content)).toEqual(said(list));
  });

  it('changes no other answer, whatever its text', () => {
    fc.assert(
      fc.property(fc.constantFrom('rejected', 'rate', 'in-doubt', 'paused'), fc.string(), (kind, message) => {
        const end = { kind, code: 'X', message } as const;
        expect(identityRefusal(end, content)).toBe(end);
      }),
    );
  });

  it('takes any text of an answer', () => {
    fc.assert(
      fc.property(fc.string(), (list) => {
        expect(['identity', 'rejected']).toContain(identityRefusal(said(list), content).kind);
      }),
    );
  });
});
