// The source of a filter, as the options want it read.

import { eraseDump } from '../../core/filter/erase.ts'
import { readEraseConfig } from '../../core/filter/erase-config.ts'
import {
  type GivenVmcoreinfo,
  readVmcoreinfoFile,
  vmcoreinfoOfVmlinux,
  withGivenVmcoreinfo,
} from '../../core/kernel/given-vmcoreinfo.ts'
import { withVmcoreinfo } from '../../core/kernel/search-vmcoreinfo.ts'
import type { Dump } from '../../formats/dump.ts'
import { openDump } from '../../formats/index.ts'
import type { Options } from './options.ts'

/** The dump with what -i or -x tell of its kernel, and without what --config names. */
export function openSource(paths: string | readonly string[], options: Options): Dump {
  const given = findGiven(options)
  const { config } = options
  const dump = openDump(paths)
  try {
    const source = given === undefined ? withVmcoreinfo(dump) : withGivenVmcoreinfo(dump, given)
    return config === undefined ? source : eraseDump(source, readEraseConfig(config))
  } catch (error) {
    dump[Symbol.dispose]()
    throw error
  }
}

function findGiven({ vmcoreinfo, vmlinux }: Options): GivenVmcoreinfo | undefined {
  if (vmcoreinfo !== undefined) return readVmcoreinfoFile(vmcoreinfo)
  return vmlinux === undefined ? undefined : vmcoreinfoOfVmlinux(vmlinux)
}
