import { profileIssues, type BillingProfile } from './billing-profile.policy';

const valid: BillingProfile = {
  legalName: 'Northwind Bank AG',
  address: ['Straße des 17. Juni 135', '10623 Berlin'],
  taxId: 'DE 123456789',
  email: 'ap@northwind.example',
};

describe('whom invoices are made out to', () => {
  it('is accepted with a name alone, or with everything', () => {
    expect(profileIssues(valid)).toEqual([]);
    expect(profileIssues({ legalName: '株式会社', address: [], taxId: null, email: null })).toEqual([]);
  });

  it.each<[string, Partial<BillingProfile>, string[]]>([
    ['a blank name', { legalName: ' ' }, ['legalName']],
    ['a name of 201 characters', { legalName: 'x'.repeat(201) }, ['legalName']],
    ['a line break in the address', { address: ['a', 'b\nc'] }, ['address', '1']],
    ['seven lines of address', { address: Array.from({ length: 7 }, () => 'x') }, ['address']],
    ['a blank tax id', { taxId: '' }, ['taxId']],
    ['an e-mail address that is none', { email: 'northwind' }, ['email']],
  ])('is refused with %s, naming the field', (_, change, path) => {
    expect(profileIssues({ ...valid, ...change })).toMatchObject([{ code: 'INVALID_INPUT', path }]);
  });
});
