import type { MessageId, TenantId } from '@libs/kernel';
import { composeMail, decideClaim, type Candidate } from './claim.policy';

const candidate = (changes: Partial<Candidate> = {}): Candidate => ({
  tenantId: 't' as TenantId,
  id: 'm' as MessageId,
  mode: 'LIVE',
  stream: 'TRANSACTIONAL',
  tenantActive: true,
  domainReady: true,
  configurationSet: 'pf-1-tx',
  laneLeft: false,
  content: {
    from: { email: 'a@shop.example' },
    to: [{ email: 'Ann@x.example' }],
    cc: [{ email: 'bob@x.example' }],
    bcc: [],
    replyTo: [],
    subject: 'Hello',
    text: 'Hello',
    headers: [],
    attachments: [],
  },
  suppressed: [],
  ...changes,
});

describe('a claim', () => {
  it('sends what is in order, at the price of all its recipients', () => {
    expect(decideClaim(candidate())).toEqual({ kind: 'send', recipients: 2, suppressed: [] });
  });

  it.each([
    [{ tenantActive: false }, 'TENANT_PAUSED'],
    [{ domainReady: false }, 'DOMAIN_NOT_READY'],
    [{ configurationSet: null }, 'ROUTE_NOT_READY'],
  ])('lets a message wait when %j', (changes, reason) => {
    expect(decideClaim(candidate(changes))).toMatchObject({ kind: 'wait', reason });
  });

  it('takes the lane that the tenant has now when the message was written with another', () => {
    expect(decideClaim(candidate({ configurationSet: null, laneLeft: true }))).toEqual({ kind: 'relane' });
    expect(decideClaim(candidate({ laneLeft: true }))).toMatchObject({ kind: 'send' });
  });

  it('goes to the others when one recipient was suppressed meanwhile', () => {
    expect(decideClaim(candidate({ suppressed: ['Ann@x.example'] }))).toEqual({
      kind: 'send',
      recipients: 1,
      suppressed: ['Ann@x.example'],
    });
  });

  it('never sends when every recipient is suppressed', () => {
    expect(decideClaim(candidate({ suppressed: ['Ann@x.example', 'bob@x.example'] })).kind).toBe('suppress');
  });

  it('does not let a list stop a test address that stands for delivery', () => {
    const content = { ...candidate().content, to: [{ email: 'bounced+1@postfleet.test' }], cc: [] };
    expect(decideClaim(candidate({ content, suppressed: ['bounced+1@postfleet.test'] })).kind).toBe('send');
  });

  it('composes the mail without suppressed recipients', () => {
    const mail = composeMail(JSON.stringify(candidate().content), ['bob@x.example'], 'set', { message: 'm' });
    expect(mail).toMatchObject({
      to: [{ email: 'Ann@x.example' }],
      cc: [],
      configurationSet: 'set',
      tags: { message: 'm' },
    });
  });
});
