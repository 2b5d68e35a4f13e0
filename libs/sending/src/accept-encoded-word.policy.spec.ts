import fc from 'fast-check';
import { decodedWords } from './accept-encoded-word.policy';

describe('a header field in encoded words', () => {
  it.each([
    ['plain text', 'plain text'],
    ['=?utf-8?B?R3LDvMOfZQ==?=', 'Gr\u00fc\u00dfe'],
    ['=?UTF-8?Q?Gr=C3=BC=C3=9Fe_an_alle?=', 'Gr\u00fc\u00dfe an alle'],
    ['=?iso-8859-1?q?Gr=FC=DFe?= to you', 'Gr\u00fc\u00dfe to you'],
    ['=?utf-8*de?q?ja?=', 'ja'],
    ['=?utf-8?q?one?= =?utf-8?q?two?=  three', 'onetwo  three'],
    ['=?nonsense?q?x?=', '=?nonsense?q?x?='],
    ['=?utf-8?q?=FF?=', '=?utf-8?q?=FF?='],
    ['=?utf-8?q?a=0D=0AX:_b?=', 'a  X: b'],
    ['1 =? 2', '1 =? 2'],
  ])('%s reads %s', (field, text) => {
    expect(decodedWords(field)).toBe(text);
  });

  it('comes back as the text it was made of', () => {
    const printable = fc.string({ unit: 'grapheme' }).filter((text) => !/\p{Cc}|\p{Cf}|\p{Surrogate}/u.test(text));
    fc.assert(
      fc.property(printable, (text) => {
        expect(decodedWords(`=?utf-8?B?${Buffer.from(text, 'utf8').toString('base64')}?=`)).toBe(text);
      }),
    );
  });
});
