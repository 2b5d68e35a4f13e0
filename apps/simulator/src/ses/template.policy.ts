import { badRequest } from '../wire/aws.errors';

export interface TemplateText {
  readonly Subject?: string | null | undefined;
  readonly Text?: string | null | undefined;
  readonly Html?: string | null | undefined;
}

/** What a recipient reads. */
export interface MailText {
  readonly subject: string;
  readonly html: string | undefined;
  readonly text: string | undefined;
}

export interface Rendered extends MailText {
  /** The first name that the data does not have: SES accepts such mail and publishes a Rendering Failure. */
  readonly missing: string | undefined;
}

/** Characters of TemplateData and of ReplacementTemplateData (API reference, Template). */
const MOST_DATA = 262_144;
const EXPRESSION = /\{\{\{([^{}]*)\}\}\}|(?<!\{)\{\{([^{}]*)\}\}/g;
const NAME = /^\s*([A-Za-z_]\w*)\s*$/;
/** Of templates that come with a request: public reports say that SES refuses underscores and paths there. */
const INLINE_NAME = /^\s*[A-Za-z][A-Za-z0-9]*\s*$/;
/** SES puts the link of a contact list there, whatever the data says. */
const UNSUBSCRIBE = 'amazonSESUnsubscribeUrl';
const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#x27;',
  '`': '&#x60;',
  '=': '&#x3D;',
};

/**
 * Refuses what SES takes in stored templates only: with a request come simple substitutions.
 * @throws BadRequestException as SES words it
 */
export function checkInlineTemplate({ Subject: subject, Text: text, Html: html }: TemplateText): void {
  for (const part of [subject, text, html]) {
    const rest = (part ?? '').replaceAll(EXPRESSION, (whole, raw?: string, escaped?: string) =>
      INLINE_NAME.test(raw ?? escaped ?? '') ? '' : whole,
    );
    if (rest.includes('{{')) throw badRequest('Template contains unsupported operations.');
  }
}

/**
 * Puts the data in: `{{{name}}}` as it is, `{{name}}` escaped. SES's guide says that it escapes neither, Handlebars that it escapes the latter;
 * here nobody can come to rely on the better of the two. Anything else, which only stored templates may have, stays as it stands.
 */
export function renderTemplate(template: TemplateText, dataJson: string): Rendered {
  const data = dataOf(dataJson);
  let missing: string | undefined;
  const render = (part: string | null | undefined): string | undefined =>
    part?.replaceAll(EXPRESSION, (whole, raw?: string, escaped?: string) => {
      const name = NAME.exec(raw ?? escaped ?? '')?.[1];
      if (name === undefined || name === UNSUBSCRIBE || name === 'else') return whole;
      const value = data.get(name) ?? undefined;
      if (value === undefined) missing ??= name;
      const text = typeof value === 'string' ? value : JSON.stringify(value ?? '');
      return raw === undefined ? text.replace(/[&<>"'`=]/g, (character) => ENTITIES[character] ?? character) : text;
    });
  const { Subject: subject, Text: text, Html: html } = template;
  return { subject: render(subject) ?? '', text: render(text), html: render(html), missing };
}

function dataOf(json: string): ReadonlyMap<string, unknown> {
  if (json.length > MOST_DATA) {
    throw badRequest(
      `1 validation error detected: TemplateData failed to satisfy constraint: Member must have length less than or equal to ${String(MOST_DATA)}`,
    );
  }
  let data: unknown;
  try {
    data = JSON.parse(json === '' ? '{}' : json);
  } catch {
    throw badRequest('TemplateData is not valid JSON.');
  }
  return new Map(typeof data === 'object' && data !== null ? Object.entries(data) : []);
}
