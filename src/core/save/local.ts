// A directory of this host: one directory of mode 0700 a crash, files of mode 0600. Files get their
// name when they are whole and on disk (OutputFile), directories are fsynced up to the one that existed.

import { join } from 'node:path'
import { TargetError } from '../errors.ts'
import { fileSink, makeDirectory, OutputFile } from '../output-file.ts'
import { hashFile, hashingSink } from './checksum.ts'
import type { CrashStore, TargetKind } from './target.ts'

export const localTarget: TargetKind = {
  example: 'a directory',
  accepts: (target) => target !== '' && !/^[a-z][a-z0-9+.-]*:\/\//i.test(target),
  open: (target) => ({
    begin: async (folder) => openStore(makeFolder(target, folder)),
  }),
}

function openStore(location: string): CrashStore {
  return {
    location,
    async write(name, fill) {
      using file = new OutputFile(join(location, name))
      const sink = hashingSink(fileSink(file))
      const result = await fill(sink)
      const sha256 = sink.digest() ?? hashFile(file.temporaryPath)
      file.commit()
      return { file: { name, size: file.size, sha256 }, result }
    },
  }
}

/** Never a directory that exists: `folder`, `folder-2`, … */
function makeFolder(parent: string, folder: string): string {
  makeDirectory(parent)
  for (let attempt = 1; attempt <= 1000; attempt++) {
    const path = join(parent, attempt === 1 ? folder : `${folder}-${attempt}`)
    if (makeDirectory(path)) return path
  }
  throw new TargetError(join(parent, folder), 'exists already, and so do 999 variations of its name')
}
