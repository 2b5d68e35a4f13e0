import { profileIssues, type BillingProfile } from './billing-profile.policy';

const valid: BillingProfile = {
  legalName: 'Société Générale d’Exemple S.A.',
  address: ['1 rue de l’Exemple', '75001 Paris', 'France'],
  taxId: 'FR 12 345678901',
  email: 'accounts@exemple.example',
};

it.each<[string, Partial<BillingProfile>, string[]]>([
  ['what is right', {}, []],
  ['neither tax id nor address of mail', { taxId: null, email: null }, []],
  ['a blank name', { legalName: ' ' }, ['legalName']],
  ['a name of 201 characters', { legalName: 'x'.repeat(201) }, ['legalName']],
  ['a name that turns the line around', { legalName: 'a\u202eb' }, ['legalName']],
  ['no address', { address: [] }, ['address']],
  ['nine lines', { address: Array.from({ length: 9 }, () => 'x') }, ['address']],
  ['a line with a break in it', { address: ['a', 'b\nc'] }, ['address.1']],
  ['an empty tax id', { taxId: '' }, ['taxId']],
  ['a name beside the address of mail', { email: 'Ann <ann@example.com>' }, ['email']],
  [
    'everything wrong',
    { legalName: '', address: [''], taxId: ' ', email: '@' },
    ['legalName', 'address.0', 'taxId', 'email'],
  ],
])('a billing profile with %s is refused at %s', (_, change, paths) => {
  expect(profileIssues({ ...valid, ...change }).map((issue) => issue.path?.join('.'))).toEqual(paths);
});
