import fc from 'fast-check';
import { packId, unpackId } from './packed-id.policy';

describe('an id as Redis keeps it', () => {
  it('comes back as it was, in 30 letters and digits', () => {
    fc.assert(
      fc.property(fc.uuid(), (uuid) => {
        expect(packId(uuid)).toMatch(/^[0-9a-z]{21}[1-9][0-9]{8}$/);
        expect(unpackId(packId(uuid))).toBe(uuid);
      }),
    );
  });
});
