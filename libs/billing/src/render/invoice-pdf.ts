import PDFDocument from 'pdfkit';
import type { InvoiceBody, InvoiceLine } from '../invoice/invoice-body.v1.policy';
import type { Party } from '../invoice/invoice-input.policy';
import { isPrintable } from './printable.policy';
import { centsText, dateText, dollarColumn, periodText, quantityText, rateText, spanText } from './invoice-text.policy';

/** A length or a place on paper: 72 to the inch. */
type Points = PDFKit.PDFDocument['x'];

/** What stands on an invoice beside its body. */
export interface Imprint {
  readonly bodyHash: string;
  /** When it was voided; null for one that counts. */
  readonly voidedAt: Date | null;
}

const REGULAR = require.resolve('dejavu-fonts-ttf/ttf/DejaVuSansCondensed.ttf');
const BOLD = require.resolve('dejavu-fonts-ttf/ttf/DejaVuSansCondensed-Bold.ttf');
const INK = '#1a1f2b';
const GREY = '#6b7280';
const LINE = '#d5d9e0';
const RED = '#b42318';
const LEFT = 50;
const RIGHT = 545;
const WIDTH = RIGHT - LEFT;
const TOP = 54;
/** Below it is the foot of the page. */
const BOTTOM = 760;
/** What subtotal, rounding and total need. */
const TOTALS = 90;

const COLUMNS = [
  { title: 'Description', x: LEFT, width: 212, align: 'left' },
  { title: 'Quantity', x: 268, width: 92, align: 'right' },
  { title: 'Unit price', x: 366, width: 92, align: 'right' },
  { title: 'Amount (USD)', x: 464, width: 81, align: 'right' },
] as const;

/**
 * An invoice as PDF, on A4. The same invoice gives the same bytes: nothing of the time or the machine goes into it, and its
 * fonts are the project's own.
 */
export async function invoicePdf(body: InvoiceBody, imprint: Imprint): Promise<Buffer> {
  const issuedAt = new Date(body.issue?.issuedAt ?? body.period.to);
  const doc = new PDFDocument({
    size: 'A4',
    margin: LEFT,
    bufferPages: true,
    autoFirstPage: true,
    lang: 'en',
    displayTitle: true,
    info: {
      Title: titleOf(body),
      Author: body.issue?.seller.name ?? '',
      Subject: periodText(body.period.name),
      Producer: 'Postfleet',
      Creator: 'Postfleet',
      CreationDate: issuedAt,
      ModDate: issuedAt,
    },
  });
  doc.registerFont('regular', REGULAR).registerFont('bold', BOLD);
  const chunks: Buffer[] = [];
  doc.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<void>((resolve, reject) => doc.on('end', resolve).on('error', reject));

  head(doc, body, imprint);
  table(doc, body);
  totals(doc, body);
  notes(doc, body, imprint);
  feet(doc, body, imprint);
  doc.end();
  await ended;
  return Buffer.concat(chunks);
}

function titleOf(body: InvoiceBody): string {
  const kind = body.kind === 'INVOICE' ? 'Invoice' : 'Credit note';
  return body.issue ? `${kind} ${body.issue.number}` : `${kind} (draft)`;
}

function head(doc: PDFKit.PDFDocument, body: InvoiceBody, imprint: Imprint): void {
  const kind = body.kind === 'INVOICE' ? 'Invoice' : 'Credit note';
  doc.font('bold').fontSize(20).fillColor(INK);
  doc.text(body.issue ? kind : `${kind} (draft)`, 320, TOP, { width: 225, align: 'right' });
  let left = TOP;
  if (body.issue) left = party(doc, body.issue.seller, TOP, 12);

  const facts: [string, string][] = [];
  if (body.issue) {
    facts.push(['Number', body.issue.number], ['Issued', dateText(body.issue.issuedAt)]);
    if (imprint.voidedAt) facts.push(['Void since', dateText(imprint.voidedAt.toISOString())]);
    else if (body.kind === 'INVOICE') facts.push(['Due', dateText(body.issue.dueAt)]);
  }
  facts.push(['Period', periodText(body.period.name)]);
  if (body.corrects) facts.push(['Corrects', body.corrects.number], ['issued', dateText(body.corrects.issuedAt)]);
  let right = TOP + 36;
  for (const [name, value] of facts) {
    doc.font('regular').fontSize(9).fillColor(GREY).text(name, 320, right, { width: 75, align: 'right' });
    doc.font('bold').fontSize(9).fillColor(INK).text(value, 405, right, { width: 140, align: 'right' });
    right = doc.y + 3;
  }

  const below = (left > right ? left : right) + 22;
  doc.font('regular').fontSize(8).fillColor(GREY).text('BILL TO', LEFT, below);
  doc.y = party(doc, body.buyer, doc.y + 3, 11) + 22;
}

/** Name, address, tax id and e-mail; answers where it ends. */
function party(doc: PDFKit.PDFDocument, who: Party, top: Points, size: Points): Points {
  doc.font('bold').fontSize(size).fillColor(INK).text(who.name, LEFT, top, { width: 260 });
  doc.font('regular').fontSize(9).fillColor(INK);
  for (const line of who.address) doc.text(line, LEFT, doc.y + 1, { width: 260 });
  if (who.taxId !== null) doc.text(`Tax ID ${who.taxId}`, LEFT, doc.y + 1, { width: 260 });
  if (who.email !== null) doc.text(who.email, LEFT, doc.y + 1, { width: 260 });
  return doc.y;
}

function isResidue(line: InvoiceLine): boolean {
  return line.sku === 'invoice.carried' || line.sku === 'invoice.rounding';
}

function table(doc: PDFKit.PDFDocument, body: InvoiceBody): void {
  const lines = body.lines.filter((line) => !isResidue(line));
  const amounts = dollarColumn(lines.map((line) => BigInt(line.amountMicro)));
  tableHead(doc);
  lines.forEach((line, index) => {
    const span = spanText(line, body.period);
    const [description] = COLUMNS;
    doc.font('regular').fontSize(9);
    const height =
      doc.heightOfString(line.description, { width: description.width }) +
      (span === '' ? 0 : doc.fontSize(8).heightOfString(span, { width: description.width }) + 1);
    // The last line takes the totals with it.
    const after = index === lines.length - 1 ? TOTALS : 0;
    if (doc.y + height + 12 + after > BOTTOM) {
      doc.addPage();
      doc.y = TOP;
      tableHead(doc);
    }
    const top = doc.y + 5;
    const cells = [line.description, quantityText(line, body.period), rateText(line), amounts[index] ?? ''];
    COLUMNS.forEach(({ x, width, align }, column) => {
      doc
        .font('regular')
        .fontSize(9)
        .fillColor(INK)
        .text(cells[column] ?? '', x, top, { width, align });
      if (column === 0 && span !== '')
        doc
          .fontSize(8)
          .fillColor(GREY)
          .text(span, x, doc.y + 1, { width, align });
    });
    doc.y = top + height + 5;
    rule(doc, doc.y, LINE);
  });
}

function tableHead(doc: PDFKit.PDFDocument): void {
  const top = doc.y;
  for (const { title, x, width, align } of COLUMNS) {
    doc.font('bold').fontSize(8).fillColor(GREY).text(title, x, top, { width, align });
  }
  doc.y = top + 15;
  rule(doc, doc.y, INK);
}

function rule(doc: PDFKit.PDFDocument, y: Points, colour: string): void {
  doc.moveTo(LEFT, y).lineTo(RIGHT, y).lineWidth(1).strokeColor(colour).stroke();
}

function totals(doc: PDFKit.PDFDocument, body: InvoiceBody): void {
  const residues = body.lines.filter(isResidue);
  const sums: [string, bigint][] = [
    ['Subtotal', BigInt(body.totalMicro)],
    ...residues.map((line): [string, bigint] => [line.description, BigInt(line.amountMicro)]),
  ];
  const amounts = dollarColumn(sums.map(([, amount]) => amount));
  keepTogether(doc, TOTALS);
  doc.y += 8;
  sums.forEach(([name], index) => {
    const top = doc.y;
    doc.font('regular').fontSize(9).fillColor(GREY).text(name, 250, top, { width: 208, align: 'right' });
    doc.fillColor(INK).text(amounts[index] ?? '', 464, top, { width: 81, align: 'right' });
    doc.y = top + 15;
  });
  const top = doc.y + 4;
  doc.moveTo(300, top).lineTo(RIGHT, top).lineWidth(1).strokeColor(INK).stroke();
  const name = body.kind === 'INVOICE' ? 'Total due' : 'Total credited';
  const total = BigInt(body.totalCents);
  doc
    .font('bold')
    .fontSize(12)
    .fillColor(INK)
    .text(`${name} (USD)`, 200, top + 7, { width: 248, align: 'right' });
  doc.text(centsText(total), 454, top + 7, { width: 91, align: 'right' });
  doc.y = top + 34;
}

function notes(doc: PDFKit.PDFDocument, body: InvoiceBody, imprint: Imprint): void {
  const texts: string[] = [];
  if (body.reason !== null) texts.push(`Reason: ${body.reason}`);
  texts.push('Amounts do not include taxes.');
  if (body.kind === 'INVOICE' && body.issue?.seller.note) texts.push(body.issue.seller.note);
  if (!body.issue) texts.push('This is a draft: amounts may change until it is issued.');
  if (!isPrintable(writtenOn(body))) {
    texts.push('A box stands for a letter that this font does not have: the same invoice as JSON or CSV has it.');
  }
  if (texts.length > 0) {
    keepTogether(doc, 60);
    doc.font('regular').fontSize(9).fillColor(INK).text(texts.join('\n'), LEFT, doc.y, { width: WIDTH });
  }
  if (!body.issue) return;
  keepTogether(doc, 60);
  doc.y += 14;
  doc.font('regular').fontSize(7).fillColor(GREY);
  doc.text(`Content sha-256 ${imprint.bodyHash}`, LEFT, doc.y, { width: WIDTH });
  if (body.issue.auditHead !== null) doc.text(`Audit log ${body.issue.auditHead}`, LEFT, doc.y + 2, { width: WIDTH });
}

/** All that is not of our own making. */
function writtenOn({ buyer, issue, lines, reason }: InvoiceBody): string {
  const parties = [buyer, ...(issue ? [issue.seller] : [])];
  const texts = parties.flatMap((who) => [who.name, ...who.address, who.taxId, who.email]);
  return [...texts, issue?.seller.note, reason, ...lines.map((line) => line.description)].join(' ');
}

function keepTogether(doc: PDFKit.PDFDocument, height: Points): void {
  if (doc.y + height <= BOTTOM) return;
  doc.addPage();
  doc.y = TOP;
}

function feet(doc: PDFKit.PDFDocument, body: InvoiceBody, imprint: Imprint): void {
  const { start, count } = doc.bufferedPageRange();
  for (let page = start; page < start + count; page += 1) {
    doc.switchToPage(page);
    // What is written below the margin would otherwise begin a new page.
    doc.page.margins.bottom = 0;
    if (imprint.voidedAt) stamp(doc, 'VOID');
    rule(doc, 786, LINE);
    doc.font('regular').fontSize(8).fillColor(GREY);
    doc.text([body.issue?.seller.name, titleOf(body)].filter(Boolean).join('  ·  '), LEFT, 793, {
      width: 380,
      lineBreak: false,
    });
    doc.text(`Page ${page + 1} of ${count}`, 445, 793, { width: 100, align: 'right' });
  }
}

function stamp(doc: PDFKit.PDFDocument, text: string): void {
  doc
    .save()
    .rotate(-28, { origin: [297, 420] })
    .font('bold')
    .fontSize(150)
    .fillColor(RED)
    .fillOpacity(1 / 6);
  doc.text(text, 0, 330, { width: 595, align: 'center' });
  doc.restore().fillOpacity(1);
}
