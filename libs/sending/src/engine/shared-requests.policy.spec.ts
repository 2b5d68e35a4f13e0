import { sendBulkEmailBody, type FleetRole, type OutgoingMail } from '@libs/aws';
import type { Stream } from '@libs/kernel';
import fc from 'fast-check';
import { shareRequests, type Starting } from './shared-requests.policy';

const role = (accountId: string): FleetRole => ({
  mode: 'LIVE',
  accountId,
  roleArn: `arn:aws:iam::${accountId}:role/postfleet/fleet-send`,
  externalId: 'x',
  region: 'us-east-1',
  sessionName: 'pf-test',
});
const roles = [role('111122223333'), role('444455556666')] as const;

const mail = (configurationSet: string, name: string, header = ''): OutgoingMail => ({
  from: { email: 'news@acme.example', name },
  to: [{ email: 'ann@example.com' }],
  cc: [],
  bcc: [],
  replyTo: [],
  content: { subject: 'News', html: '<p>Hi</p>', headers: [{ name: 'X-A', value: header }], attachments: [] },
  configurationSet,
  tags: {},
});

interface Item extends Starting {
  readonly id: number;
}

const starting = (id: number, changes: Partial<Starting> = {}): Item => ({
  id,
  role: roles[0],
  mail: mail('pf-1-mk', 'Acme'),
  stream: 'MARKETING',
  recipients: 1,
  rate: 200,
  ...changes,
});
const idsOf = (requests: readonly (readonly Item[])[]) => requests.map((request) => request.map(({ id }) => id));
const always = () => true;

describe('which messages share a request', () => {
  it('are those of one sender and set that start together, also when others start between them', () => {
    const other = { mail: mail('pf-2-mk', 'Acme') };
    const items = [starting(1), starting(2, other), starting(3), starting(4, other)];
    expect(idsOf(shareRequests(items, always))).toEqual([
      [1, 3],
      [2, 4],
    ]);
  });

  it('are never more than 50 recipients, nor more than the account may have in a second', () => {
    const many = Array.from({ length: 60 }, (_, id) => starting(id));
    expect(shareRequests(many, always).map((request) => request.length)).toEqual([50, 10]);
    const slow = many.slice(0, 5).map((item) => ({ ...item, rate: 2.5 }));
    expect(shareRequests(slow, always).map((request) => request.length)).toEqual([2, 2, 1]);
    const wide = [starting(1, { recipients: 30 }), starting(2, { recipients: 30 }), starting(3, { recipients: 20 })];
    expect(idsOf(shareRequests(wide, always))).toEqual([[1], [2, 3]]);
  });

  it('are never more than SES takes in bytes, whatever they say, with the longest names and headers', () => {
    const headers = Array.from({ length: 15 }, (_, i) => ({ name: `X-${String(i)}`, value: '"'.repeat(900) }));
    const to = [{ email: `${'a'.repeat(64)}@${'b.'.repeat(90)}example`, name: '語'.repeat(200) }];
    const html = (i: number) => `${String(i)}${'<p class="\u0001">\n'.repeat(2_000)}`;
    const items = Array.from({ length: 120 }, (_, id) => {
      const written = mail('pf-1-mk', 'Acme');
      const content = { subject: 'News', html: html(id % 40), headers: id < 60 ? headers : [], attachments: [] };
      return starting(id, { mail: { ...written, to, content } });
    });
    const requests = shareRequests(items, always);
    expect(requests.flat()).toHaveLength(120);
    for (const [first, ...others] of requests) {
      const body = sendBulkEmailBody([first!.mail, ...others.map((one) => one.mail)]);
      expect(body.length).toBeLessThanOrEqual(1_000_000);
    }
    // Still worth while: what everybody is sent alike takes its room once.
    const alike = items.map((item) => ({ ...item, mail: items[119]!.mail }));
    expect(shareRequests(alike, always).map((request) => request.length)).toEqual([50, 50, 20]);
  });

  it.each<[string, Partial<Starting>, () => boolean]>([
    ['whose role may not', {}, () => false],
    ['that are transactional', { stream: 'TRANSACTIONAL' }, always],
    ['that may not go together', { mail: mail('pf-1-mk', 'Acme', '{{name}}') }, always],
  ])('are none %s', (_, changes, mayShare) => {
    expect(idsOf(shareRequests([starting(1, changes), starting(2, changes)], mayShare))).toEqual([[1], [2]]);
  });

  it('loses and doubles nothing, keeps the order of a configuration set, and mixes neither roles nor senders', () => {
    const item = fc.record({
      role: fc.constantFrom(...roles),
      mail: fc.tuple(
        fc.constantFrom('pf-1-mk', 'pf-2-mk'),
        fc.constantFrom('Acme', 'Other'),
        fc.constantFrom('a', '{{c}}'),
      ),
      stream: fc.constantFrom<Stream[]>('MARKETING', 'MARKETING', 'TRANSACTIONAL'),
      recipients: fc.integer({ min: 1, max: 50 }),
      rate: fc.constantFrom(0.5, 1, 14, 200),
    });
    fc.assert(
      fc.property(fc.array(item, { maxLength: 70 }), (drawn) => {
        const items = drawn.map((one, id): Item => ({ ...one, id, mail: mail(...one.mail) }));
        const requests = shareRequests(items, always);
        const started = requests.flat();
        expect(new Set(started).size).toBe(items.length);
        for (const set of ['pf-1-mk', 'pf-2-mk']) {
          const own = started.filter((one) => one.mail.configurationSet === set).map(({ id }) => id);
          expect(own).toEqual([...own].sort((a, b) => a - b));
        }
        for (const request of requests) {
          const recipients = request.reduce((sum, one) => sum + one.recipients, 0);
          if (request.length > 1)
            expect(recipients).toBeLessThanOrEqual(Math.min(50, ...request.map((one) => one.rate)));
          expect(new Set(request.map((one) => one.role)).size).toBe(1);
          expect(new Set(request.map((one) => JSON.stringify([one.mail.configurationSet, one.mail.from]))).size).toBe(
            1,
          );
          if (request.length > 1) expect(JSON.stringify(request)).not.toMatch(/\{\{|TRANSACTIONAL/);
        }
      }),
    );
  });
});
