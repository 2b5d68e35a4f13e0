import { isHeaderSafe } from '@libs/kernel';
import type { AttachmentInput } from './accept-input';
import { ACCEPT_LIMITS } from './accept-limits';
import { quoted, type Problems } from './accept-problems';
import type { StoredAttachment } from './stored-content';

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const CONTENT_TYPE = /^[A-Za-z0-9!#$&^_.+-]+\/[A-Za-z0-9!#$&^_.+-]+$/;
const CONTENT_ID = /^[A-Za-z0-9._@+-]+$/;

/** What mail programs run or render when it is opened; nobody needs it as an attachment from a mailing service. */
const REFUSED_EXTENSIONS = new Set(
  (
    'ade adp apk app appx bat chm cmd com cpl dll dmg exe hta htm html img ins iso isp jar js jse jsp lib lnk mde msc msi ' +
    'msix msp mst nsh pif ps1 scr sct shb shtml svg sys url vb vbe vbs vhd vxd wsc wsf wsh xhtml xll'
  ).split(' '),
);
const REFUSED_TYPES =
  /^(text\/html|application\/(xhtml\+xml|x-msdownload|x-msdos-program|javascript|x-sh|hta|java-archive)|image\/svg\+xml)$/i;

/** Attachments, checked; undefined when any is wrong. */
export function checkAttachments(
  list: readonly AttachmentInput[],
  problems: Problems,
): { readonly stored: readonly StoredAttachment[]; readonly bytes: number } | undefined {
  if (list.length > ACCEPT_LIMITS.attachments) {
    problems.add(
      ['attachments'],
      `At most ${String(ACCEPT_LIMITS.attachments)} attachments; there are ${String(list.length)}.`,
    );
    return undefined;
  }
  const stored = list.map((attachment, index) => checkAttachment(attachment, index, problems));
  const bytes = stored.reduce((sum, attachment) => sum + (attachment?.bytes ?? 0), 0);
  if (bytes > ACCEPT_LIMITS.inlineAttachmentBytes) {
    problems.add(
      ['attachments'],
      `Attachments inside a call have at most ${megabytes(ACCEPT_LIMITS.inlineAttachmentBytes)} MB together; these have ${megabytes(bytes)} MB.`,
      'ATTACHMENT_TOO_LARGE',
    );
  }
  const good = stored.filter((attachment) => attachment !== undefined);
  return good.length === list.length ? { stored: good.map((one) => one.attachment), bytes } : undefined;
}

/** Megabytes with one decimal, for people. */
export function megabytes(bytes: number): string {
  return (Math.ceil(bytes / 100_000) / 10).toFixed(1).replace(/\.0$/, '');
}

function checkAttachment(
  input: AttachmentInput,
  index: number,
  problems: Problems,
): { readonly attachment: StoredAttachment; readonly bytes: number } | undefined {
  const at = (field: string) => ['attachments', index, field];
  const before = problems.issues.length;
  const { filename, contentType = null, contentId = null } = input;
  if (
    !isHeaderSafe(filename) ||
    filename.trim() === '' ||
    filename.length > ACCEPT_LIMITS.filenameLength ||
    /[/\\"]/.test(filename)
  ) {
    problems.add(
      at('filename'),
      `${quoted(filename)} is not a file name: 1 to ${String(ACCEPT_LIMITS.filenameLength)} characters, no path, quote or control characters.`,
    );
  }
  const extension = /\.([^.]+?)[. ]*$/.exec(filename)?.[1]?.toLowerCase() ?? '';
  if (REFUSED_EXTENSIONS.has(extension))
    problems.add(at('filename'), `Files that run or render (.${extension}) are not sent. Link to it instead.`);
  if (
    contentType !== null &&
    (!CONTENT_TYPE.test(contentType) || contentType.length > ACCEPT_LIMITS.contentTypeLength)
  ) {
    problems.add(
      at('contentType'),
      `${quoted(contentType)} is not a content type such as application/pdf, of at most ${String(ACCEPT_LIMITS.contentTypeLength)} characters.`,
    );
  } else if (contentType !== null && REFUSED_TYPES.test(contentType)) {
    problems.add(at('contentType'), `Attachments of type ${contentType} are not sent.`);
  }
  if (contentId !== null && (!CONTENT_ID.test(contentId) || contentId.length > ACCEPT_LIMITS.contentIdLength)) {
    problems.add(
      at('contentId'),
      `A content id has 1 to ${String(ACCEPT_LIMITS.contentIdLength)} letters, digits or ".", "_", "@", "+", "-".`,
    );
  }
  const base64 = /\s/.test(input.base64) ? input.base64.replace(/\s+/g, '') : input.base64;
  if (base64 === '' || base64.length % 4 !== 0 || !BASE64.test(base64)) {
    problems.add(at('base64'), 'The file is not in base64 (padded, at least one byte).');
  } else if (isProgram(Buffer.from(base64.slice(0, 8), 'base64'))) {
    problems.add(at('base64'), 'The file is a program, whatever its name says; programs are not sent.');
  }
  if (problems.issues.length > before) return undefined;
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  // Amazon SES finds the type from the ending of the name; without an ending there is nothing to find it from.
  const type = contentType ?? (extension === '' ? 'application/octet-stream' : undefined);
  const attachment = {
    filename,
    ...(type === undefined ? {} : { contentType: type }),
    base64,
    ...(contentId === null ? {} : { contentId }),
  };
  return { attachment, bytes: (base64.length / 4) * 3 - padding };
}

/** Windows, ELF and Mach-O programs, and scripts, by their first bytes. */
function isProgram(start: Buffer): boolean {
  const hex = start.toString('hex');
  return ['4d5a', '7f454c46', '2321', 'cffaedfe', 'cefaedfe'].some((magic) => hex.startsWith(magic));
}
