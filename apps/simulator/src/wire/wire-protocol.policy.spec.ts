import { protocolOf, unknownOperation } from './wire-protocol.policy';

const request = (change: object) => ({
  method: 'POST',
  rawPath: '/',
  rawQuery: '',
  headers: {},
  body: Buffer.alloc(0),
  remoteAddress: '127.0.0.1',
  ...change,
});

describe('the protocol of a request', () => {
  it.each([
    ['an action in a form', request({}), 'query'],
    ['an action in the address', request({ method: 'GET', rawQuery: 'Action=ListUsers' }), 'query'],
    ['a target header', request({ headers: { 'x-amz-target': 'DynamoDB_20120810.ListTables' } }), 'json-1.1'],
    ['a path', request({ rawPath: '/v2/email/account' }), 'rest-json'],
    ['a list of buckets', request({ method: 'GET' }), 'rest-json'],
  ])('is read from %s', (_what, given, protocol) => {
    expect(protocolOf(given)).toBe(protocol);
  });

  it('decides how an unknown operation is refused', () => {
    const refused = (change: object) => {
      const { name, status, message } = unknownOperation(request(change));
      return { name, status, message };
    };
    expect(refused({ body: Buffer.from('Action=ListUsers&Version=2010-05-08') })).toEqual({
      name: 'InvalidAction',
      status: 400,
      message: 'Could not find operation ListUsers for version 2010-05-08',
    });
    expect(refused({ headers: { 'x-amz-target': 'a.b' } })).toMatchObject({
      name: 'UnknownOperationException',
      status: 400,
    });
    expect(refused({ rawPath: '/v2/email/none' })).toMatchObject({ name: 'UnknownOperationException', status: 404 });
  });
});
