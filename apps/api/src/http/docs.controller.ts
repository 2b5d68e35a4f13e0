import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Controller, Get, Param, Res } from '@nestjs/common';
import type { Response } from 'express';
import { isErrorCode } from '../graphql/api.errors';
import { HttpRefusal } from './http.errors';
import { projectRoot } from './project-root';

/** The page behind every `docsUrl`. */
@Controller('docs/errors')
export class DocsController {
  @Get(':code')
  async page(@Param('code') code: string, @Res() response: Response): Promise<void> {
    // Only names of codes become file names: nothing of the address reaches the file system.
    if (!isErrorCode(code)) throw new HttpRefusal(404, 'NOT_FOUND', 'There is no error of this name.');
    const text = await readFile(path.join(projectRoot(), 'docs/errors', `${code}.md`), 'utf8');
    response.setHeader('content-type', 'text/markdown; charset=utf-8');
    response.setHeader('cache-control', 'public, max-age=300');
    response.send(text);
  }
}
