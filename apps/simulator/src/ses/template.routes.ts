import { z } from 'zod';
import type { TemplateState } from '../state/simulator.state';
import { alreadyExists, badRequest, notFound } from '../wire/aws.errors';
import { bodyOf, pageOf, param, type SesCall, type SesRoute } from './ses.call';

const content = z.object({ Subject: z.string().optional(), Text: z.string().optional(), Html: z.string().optional() });
const createBody = z.object({ TemplateName: z.string().min(1).max(64), TemplateContent: content });

/** Stored templates, as far as sending by template needs them. */
export function templateRoutes(): SesRoute[] {
  const one = '/v2/email/templates/{TemplateName}';
  const resource = (call: SesCall): string => `template/${param(call, 'TemplateName')}`;
  return [
    {
      operation: 'CreateEmailTemplate',
      method: 'POST',
      path: '/v2/email/templates',
      resource: (call) => `template/${bodyOf(call, createBody).TemplateName}`,
      handle: (call) => {
        const { TemplateName: name, TemplateContent: given } = bodyOf(call, createBody);
        if (call.state.templates.has(name)) throw alreadyExists(`Template ${name} already exists.`);
        if ((given.Subject ?? '') === '') throw badRequest('The template must have a subject.');
        call.state.templates.set(name, { name, content: given });
        return {};
      },
    },
    {
      operation: 'ListEmailTemplates',
      method: 'GET',
      path: '/v2/email/templates',
      handle: (call) => {
        const { items, next } = pageOf(call, [...call.state.templates.keys()]);
        return { TemplatesMetadata: items.map((name) => ({ TemplateName: name })), ...next };
      },
    },
    {
      operation: 'GetEmailTemplate',
      method: 'GET',
      path: one,
      resource,
      handle: (call) => {
        const template = templateOf(call);
        return { TemplateName: template.name, TemplateContent: template.content, Tags: [] };
      },
    },
    {
      operation: 'DeleteEmailTemplate',
      method: 'DELETE',
      path: one,
      resource,
      handle: (call) => {
        // AWS answers success for a template that is not there.
        call.state.templates.delete(param(call, 'TemplateName'));
        return {};
      },
    },
  ];
}

function templateOf(call: SesCall): TemplateState {
  const name = param(call, 'TemplateName');
  const template = call.state.templates.get(name);
  if (template === undefined) throw notFound(`Template ${name} does not exist.`);
  return template;
}
