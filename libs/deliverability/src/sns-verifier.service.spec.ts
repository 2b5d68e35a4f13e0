import { ManualClock } from '@libs/kernel';
import { chainProblem, readCertificates } from './certificate-chain.policy';
import { SigningCertificates } from './signing-certificate.service';
import { SnsVerifier } from './sns-verifier.service';
import {
  authority,
  certificateOf,
  CertificateHost,
  leaf,
  signed,
  strangersKey,
  type Authority,
  type Leaf,
} from './testing';

const NOW = Date.parse('2026-11-22T12:00:00.000Z');
const DAY_MS = 86_400_000;
const TOPIC = 'arn:aws:sns:eu-west-1:111122223333:postfleet-events';

describe('the signature of a delivery', () => {
  let ca: Authority;
  let key: Leaf;
  let host: CertificateHost;
  let clock: ManualClock;
  let verifier: SnsVerifier;

  beforeAll(async () => {
    ca = await authority('Simulator CA', NOW - DAY_MS);
    key = await leaf(ca, { fromMs: NOW - DAY_MS });
  });
  beforeEach(async () => {
    host = await CertificateHost.open(key.pem);
    clock = new ManualClock(NOW);
    verifier = new SnsVerifier(new SigningCertificates(clock, { origin: host.origin, caPem: ca.pem }));
  });
  afterEach(() => host.close());

  const delivery = (version: '1' | '2') => ({
    MessageId: 'm-1',
    TopicArn: TOPIC,
    Message: 'hello\n"world" \u00e9',
    Timestamp: '2026-11-22T12:00:00.000Z',
    SignatureVersion: version,
    SigningCertURL: host.url,
  });
  const notification = (version: '1' | '2') =>
    signed({ Type: 'Notification', ...delivery(version) }, key.privateKeyPem);

  it.each(['1', '2'] as const)(
    'of version %s is verified for notifications and both confirmations',
    async (version) => {
      await verifier.verify(notification(version));
      for (const Type of ['SubscriptionConfirmation', 'UnsubscribeConfirmation'] as const) {
        await verifier.verify(
          signed({ Type, ...delivery(version), Token: 't', SubscribeURL: 'https://x' }, key.privateKeyPem),
        );
      }
      expect(host.asked).toBe(1);
    },
  );

  it.each(['Message', 'MessageId', 'Timestamp', 'TopicArn', 'Subject'] as const)(
    'does not cover a changed %s',
    async (field) => {
      const changed = { ...notification('2'), [field]: field === 'TopicArn' ? `${TOPIC}x` : 'other' };
      await expect(verifier.verify(changed)).rejects.toMatchObject({ name: 'SnsForged', reason: 'signature' });
    },
  );

  it('of a stranger is refused', async () => {
    const forged = signed({ Type: 'Notification', ...delivery('2') }, strangersKey());
    await expect(verifier.verify(forged)).rejects.toMatchObject({ reason: 'signature' });
  });

  it('made for version 1 does not pass as version 2', async () => {
    await expect(verifier.verify({ ...notification('1'), SignatureVersion: '2' })).rejects.toMatchObject({
      reason: 'signature',
    });
  });

  it('is not even looked at when its certificate stands elsewhere', async () => {
    const elsewhere = { ...notification('2'), SigningCertURL: host.url.replace('127.0.0.1', 'localhost') };
    await expect(verifier.verify(elsewhere)).rejects.toMatchObject({ reason: 'certificate-address' });
    expect(host.asked).toBe(0);
  });

  it('may not come with a certificate of another authority', async () => {
    const other = await authority('Simulator CA', NOW - DAY_MS);
    host.answer.body = (await leaf(other, { fromMs: NOW - DAY_MS })).pem;
    await expect(verifier.verify(notification('2'))).rejects.toMatchObject({ reason: 'certificate' });
  });

  it('may not come with an expired certificate', async () => {
    clock.advance(8 * DAY_MS);
    await expect(verifier.verify(notification('2'))).rejects.toMatchObject({ reason: 'certificate' });
  });

  it('is fetched again after an hour, and after every failure', async () => {
    host.answer.status = 503;
    await expect(verifier.verify(notification('2'))).rejects.toMatchObject({ name: 'CertificateUnavailable' });
    host.answer.status = 200;
    await verifier.verify(notification('2'));
    await verifier.verify(notification('2'));
    expect(host.asked).toBe(2);
    clock.advance(3_600_001);
    await verifier.verify(notification('2'));
    expect(host.asked).toBe(3);
  });

  it('is a forgery when no certificate stands at the address, and when the file is too large', async () => {
    host.answer.status = 404;
    await expect(verifier.verify(notification('2'))).rejects.toMatchObject({ reason: 'certificate-missing' });
    host.answer = { status: 200, body: 'x'.repeat(65 * 1024) };
    await expect(verifier.verify(notification('2'))).rejects.toMatchObject({ reason: 'certificate' });
  });

  it('fetches a certificate once for many deliveries at the same time', async () => {
    await Promise.all(Array.from({ length: 20 }, () => verifier.verify(notification('2'))));
    expect(host.asked).toBe(1);
  });
});

describe('a chain of certificates', () => {
  const names = ['sns.amazonaws.com'];

  it('is believed over an intermediate up to the anchor, and not without it', async () => {
    const root = await authority('Root', NOW - DAY_MS);
    const middle = await leaf(root, { fromMs: NOW - DAY_MS, host: 'middle.example', ca: true });
    const end = await leaf({ pem: middle.pem, name: 'CN=middle.example', keys: middle.keys }, { fromMs: NOW - DAY_MS });
    const trust = { anchors: [certificateOf(root.pem)], names };
    expect(chainProblem(readCertificates(end.pem + '\n' + middle.pem), trust, NOW)).toBeUndefined();
    expect(chainProblem(readCertificates(end.pem), trust, NOW)).toMatch('no trusted authority');
  });

  it('does not lead over a certificate that may not issue others', async () => {
    const root = await authority('Root', NOW - DAY_MS);
    const middle = await leaf(root, { fromMs: NOW - DAY_MS, host: 'middle.example', ca: false });
    const end = await leaf({ pem: middle.pem, name: 'CN=middle.example', keys: middle.keys }, { fromMs: NOW - DAY_MS });
    const trust = { anchors: [certificateOf(root.pem)], names };
    expect(chainProblem(readCertificates(end.pem + '\n' + middle.pem), trust, NOW)).toMatch('no trusted authority');
  });

  it('is refused for another name, and when the file holds no certificate', async () => {
    const root = await authority('Root', NOW - DAY_MS);
    const end = await leaf(root, { fromMs: NOW - DAY_MS, host: 'evil.example' });
    const trust = { anchors: [certificateOf(root.pem)], names };
    expect(chainProblem(readCertificates(end.pem), trust, NOW)).toMatch('not for sns.amazonaws.com');
    expect(chainProblem(readCertificates('nothing'), trust, NOW)).toMatch('no certificate');
  });

  it('of one bare leaf is believed only from the named issuer', async () => {
    const amazon = await authority('Amazon RSA 2048 M01, O=Amazon', NOW - DAY_MS);
    const end = await leaf(amazon, { fromMs: NOW - DAY_MS });
    const trust = { anchors: [], names, bareLeafIssuer: 'Amazon' };
    expect(chainProblem(readCertificates(end.pem), trust, NOW)).toBeUndefined();
    const other = await leaf(await authority('Else, O=Amazonas', NOW - DAY_MS), { fromMs: NOW - DAY_MS });
    expect(chainProblem(readCertificates(other.pem), trust, NOW)).toMatch('no trusted authority');
  });
});
