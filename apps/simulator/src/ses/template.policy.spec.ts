import fc from 'fast-check';
import { checkInlineTemplate, renderTemplate } from './template.policy';

const render = (text: string, data: object) =>
  renderTemplate({ Subject: text, Text: text, Html: text }, JSON.stringify(data));

describe('templates of SES', () => {
  it('put data in as it is between three braces, whatever it looks like', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('{{name}}', '$&', "$'", '\\u0041', '\r\n')),
        (x) => {
          const said = `Dear ${x}.`;
          expect(render('Dear {{{ x }}}.', { x })).toEqual({
            subject: said,
            text: said,
            html: said,
            missing: undefined,
          });
        },
      ),
    );
  });

  it('escape what is between two braces, as Handlebars does', () => {
    expect(render('{{x}}', { x: `<a href="b">'c' & \`d\`=e</a>` }).html).toBe(
      '&lt;a href&#x3D;&quot;b&quot;&gt;&#x27;c&#x27; &amp; &#x60;d&#x60;&#x3D;e&lt;/a&gt;',
    );
  });

  it.each<[string, object]>([
    ['is not in the data', { other: 'x' }],
    ['is null', { name: null }],
  ])('name the first variable that %s', (_, data) => {
    expect(render('{{other}}{{name}}', { other: '', ...data }).missing).toBe('name');
    expect(render('{{toString}}', {}).missing).toBe('toString');
  });

  it('have parts that are not there, and data that is not text', () => {
    expect(renderTemplate({ Subject: '{{{n}}} of {{{list}}}' }, '{"n":3,"list":[1]}')).toEqual({
      subject: '3 of [1]',
      html: undefined,
      text: undefined,
      missing: undefined,
    });
  });

  it('leave what is not simulated, and the unsubscribe link, as they stand', () => {
    const text = '{{#if x}}{{a.b}}{{else}}{{amazonSESUnsubscribeUrl}}{{/if}}';
    expect(render(text, {})).toMatchObject({ text, missing: undefined });
  });

  it.each(['{{#if x}}y{{/if}}', '{{a.b}}', '{{no_reply}}', '{{> part}}', '{{&x}}', '{{!-- x --}}', 'a {{ b', '{{{x}}'])(
    'may not have %s when they come with a request',
    (text) => {
      expect(() => {
        checkInlineTemplate({ Subject: 'Hi {{{name}}}', Html: text });
      }).toThrow('Template contains unsupported operations.');
    },
  );

  it('may have simple substitutions when they come with a request', () => {
    checkInlineTemplate({ Subject: '{{{subject}}}', Html: '<p>{{ name }}</p> @media{a{b:c}} {{{html}}}', Text: null });
  });

  it.each([
    ['is no JSON', '{"a":'],
    ['is longer than SES takes', JSON.stringify({ a: 'x'.repeat(262_144) })],
  ])('refuse data that %s', (_, data) => {
    expect(() => renderTemplate({ Subject: 'Hi' }, data)).toThrow(/TemplateData/);
  });
});
