// One NT_PRSTATUS note for each CPU that was online, in firmware's order, then an empty note. The crashing
// CPU's registers are those it saved itself: firmware saw it inside the call. Nothing but the registers
// is set, so tools cannot tell from a note which CPU it is.
// Source: Linux arch/powerpc/platforms/pseries/rtas-fadump.c (rtas_fadump_build_cpu_notes).

import { noteHeaderSize, noteTypes, writeNote } from '../../formats/elf/notes.ts'
import { prstatusHead } from '../../formats/elf/prstatus.ts'
import { type CrashInfo, cpuMaskHas } from '../../formats/fdh.ts'
import type { SavedCpu } from '../../formats/regsave.ts'
import { alignUp } from '../address.ts'
import { ppc64le } from '../arch/ppc64.ts'
import { kernelAbi, writePtRegs } from '../firmware/pt-regs.ts'

/** sizeof(note_buf_t): two note headers, the name and a struct elf_prstatus. */
const noteRoom = 2 * noteHeaderSize + 8 + ppc64le.registers.prstatusSize
/** elf_gregset_t has 48 words. */
const maxRegistersSize = 48 * 8
const endOfNotes = new Uint8Array(12)

/** The size of the buffer: room for every CPU firmware saved, in whole pages. */
export const noteBufferSize = (cpus: readonly SavedCpu[], pageSize: number): number =>
  alignUp(cpus.length * noteRoom, pageSize)

export function writeCpuNotes(cpus: readonly SavedCpu[], info: CrashInfo): Uint8Array {
  const online = cpus.filter(({ id }) => cpuMaskHas(info.cpuMask, id, kernelAbi))
  const notes = online.map(({ id, registers }) =>
    prstatusNote(
      id === info.header.crashingCpu ? info.registers : writePtRegs(registers, info.header.ptRegsSize),
    ),
  )
  return Buffer.concat([...notes, endOfNotes])
}

function prstatusNote(ptRegs: Uint8Array): Uint8Array {
  const desc = new Uint8Array(ppc64le.registers.prstatusSize)
  desc.set(ptRegs.subarray(0, maxRegistersSize), prstatusHead.layout(kernelAbi).size)
  return writeNote('CORE', noteTypes.prstatus, desc, kernelAbi.littleEndian)
}
