// What the manual says beyond options and arguments, one entry a command. A test fails when a command
// has none.

import type { IndexProse } from './man-page.ts'

export interface Prose {
  /** Paragraphs. */
  readonly description: readonly string[]
  readonly examples: readonly { readonly text: string; readonly command: string }[]
  readonly files?: readonly (readonly [string, string])[]
  /** Exit codes that mean something particular here. */
  readonly exit?: readonly (readonly [string, string])[]
  /** Other commands. */
  readonly seeAlso?: readonly string[]
}

export const indexProse: IndexProse = {
  summary: 'firmware-assisted kernel crash dumps, on any host',
  description: [
    'fadump plays the parts of a firmware-assisted dump on a machine kept in a file: the production kernel that reserves and registers memory, the firmware that preserves it over a crash, and the capture kernel that finds it and exports it as a vmcore. It filters, saves and analyzes vmcores of other origin just as well: a SOURCE is a machine image after boot-capture, or any ELF, kdump-compressed or flattened dump.',
    'Nothing here needs Power hardware, root, kernel debug information or a particular architecture of the host.',
  ],
  environment: [
    ['NO_COLOR', 'Set to anything: no colours.'],
    ['TERM', 'No colours when it is "dumb".'],
  ],
  exit: [
    ['0', 'Done.'],
    ['1', 'A bug of fadump. Please report it with the lines it printed.'],
    ['2', 'The command line makes no sense: unknown option, missing argument.'],
    ['3', 'Bad input: a file that cannot be read, is no dump or machine image, or is damaged.'],
    ['4', 'Refused by kernel or firmware: wrong state, not enough memory, damaged crash information.'],
    ['5', 'The destination failed: disk full, not writable, exists already.'],
    ['6', 'Done, but something is missing; the warnings say what.'],
    ['130', 'Interrupted by SIGINT or SIGTERM. Nothing half-written was left under its final name.'],
  ],
  examples: [
    { text: 'The whole of it on the bundled machine:', command: '$ fadump demo' },
    {
      text: 'The main job, step by step:',
      command: [
        '$ fadump create machine.img --from memory.kdump --cmdline "fadump=on crashkernel=320M"',
        '$ fadump register machine.img',
        '$ fadump trigger machine.img',
        '$ fadump boot-capture machine.img',
        '$ fadump save machine.img /var/crash',
      ].join('\n'),
    },
    { text: 'A dump from anywhere:', command: '$ fadump analyze vmcore' },
  ],
  security: [
    "A dump holds all of a machine's memory: keys, passwords, personal data. Files are created with mode 0600, directories with 0700. Filtering takes out user pages but not every secret; treat a filtered dump as one.",
    'Dumps are read as hostile input. Text that comes from a dump is escaped before it reaches a terminal.',
  ],
}

export const commandProse: Readonly<Record<string, Prose>> = {
  create: {
    description: [
      'The memory is copied in one pass; zeros take no room in the image. Pages that a filter left out of the dump are zeros in the machine, and a warning counts them.',
      "A running kernel leaves itself described at the start of pages, and create finds it there: the VMCOREINFO note (release, MMU), the device tree it was booted with (command line, possible CPUs, real-mode area, the firmware's own memory) and, when fadump was registered, its crash information header (sizes of its registers and CPU masks). An option wins over what is found, and what is found over the default; the output names the source of each fact.",
      'Defaults: radix MMU, pages of 65536 bytes, command line "fadump=on", as many possible CPUs as the dump has registers of, CPU masks for 2048 CPUs, a real-mode area of the largest power of two that fits the first range of memory, at most 16 GiB (as QEMU does it).',
      'Machines are little-endian IBM Power with RTAS firmware. A dump of another architecture is refused: it can be filtered, saved and analyzed, but no firmware there knows fadump.',
    ],
    examples: [
      {
        text: 'The bundled machine, which needs no more options:',
        command: '$ fadump create machine.img --from demo/ppc64le-7.2.kdump',
      },
      {
        text: 'A blank one with a hole in its memory:',
        command:
          '$ fadump create machine.img --memory 8G --hole 2G-3G --cpus 4 --cmdline "fadump=on crashkernel=1G"',
      },
    ],
    seeAlso: ['register', 'status'],
  },
  register: {
    description: [
      'The first time, this is also the boot: memory is reserved as the command line asks (fadump=on or nocma, crashkernel= in its simple and range forms, the deprecated fadump_reserve_mem=), and the area for additional parameters is set up. Then the crash information header and the request to firmware are written where the kernel keeps them, and firmware is called. What the kernel printed is shown in its own words.',
      "A machine made from the memory of a registered system holds the kernel's own request already; it is found there and rewritten in place. Otherwise the highest empty page of boot memory is taken for it.",
      'Additional parameters are set before the registration, as kdumpctl does it, and stay until they are replaced. They and the command line must together be shorter than COMMAND_LINE_SIZE, the newline that echo(1) sends counted.',
    ],
    examples: [
      {
        text: 'One CPU for the capture kernel:',
        command: '$ fadump register machine.img --bootargs-append "nr_cpus=1"',
      },
    ],
    exit: [['4', "The kernel goes on without fadump, or firmware said no; the message is the kernel's."]],
    seeAlso: ['create', 'trigger', 'status'],
  },
  trigger: {
    description: [
      'The dying kernel writes its crash information header (crashing CPU, its registers, the CPUs that are online), adds CRASHTIME to VMCOREINFO and the line of the panic or oops to its log, and calls firmware with the reason. Firmware saves the registers of all CPUs and copies boot memory, in the order of the request, and marks the device tree of the next boot. No kernel code runs: stacks and all other variables stay as they were.',
      'With --cause firmware the kernel has no part in it: the crashing CPU stays unknown, and all registers come from firmware. With --cause system-reset nothing is logged, as in reality.',
      'Killed at any instant, trigger leaves a machine that has not crashed yet or one whose crash the next command finishes.',
    ],
    examples: [
      {
        text: 'A crash of CPU 1:',
        command: '$ fadump trigger machine.img --cpu 1 --reason "Attempted to kill init!"',
      },
    ],
    seeAlso: ['register', 'boot-capture'],
  },
  'boot-capture': {
    description: [
      "The capture kernel reads the dump's description in the device tree, merges the command line, announces what it preserves, checks the crash information header and every section firmware reports, makes a note of the registers of each CPU that was online, and builds the ELF core header in its own memory. Then the machine reads as /proc/vmcore: filter, save and analyze take it as their source.",
      'A dump that the kernel refuses is given up as the kernel does it: firmware is told, memory is freed, the machine runs on in production.',
      'On a machine that runs its capture kernel already there is nothing to boot; --vmcore writes the file.',
    ],
    examples: [
      {
        text: 'The dump as a file that crash(8), drgn and makedumpfile(8) read:',
        command: '$ fadump boot-capture machine.img --vmcore vmcore',
      },
    ],
    exit: [['4', 'The kernel refuses the dump, which is lost; the lines "printed" say why.']],
    seeAlso: ['trigger', 'gen-elfcorehdr', 'release'],
  },
  'gen-elfcorehdr': {
    description: [
      "The header is the one in the capture kernel's memory, or the one it would build on a machine that has crashed and not booted. Its offsets are physical addresses; /proc/vmcore moves them, and merges the notes.",
    ],
    examples: [
      {
        text: 'Every header and the reason for it:',
        command: '$ fadump gen-elfcorehdr machine.img --explain',
      },
      {
        text: 'As readelf(1) sees it:',
        command: '$ fadump gen-elfcorehdr machine.img -o elfcorehdr && readelf -lW elfcorehdr',
      },
    ],
    seeAlso: ['boot-capture'],
  },
  status: {
    description: [
      'Reads the machine without changing or locking it. The files of /sys/kernel/fadump are shown as the machine\'s kernel would show them; while a production kernel has not registered yet, the reservation is the one that it would make. Memory is "usable" as free(1) counts it: the reservation is not, but for the part that production lends to movable pages (CMA); a capture kernel has boot memory alone.',
      'Messages are those of kernel and firmware, in their own words, since the machine was made.',
    ],
    examples: [
      { text: 'The state of a machine for a script:', command: '$ fadump status machine.img --json' },
    ],
    seeAlso: ['create', 'register', 'release'],
  },
  release: {
    description: [
      'What "echo 1 > /sys/kernel/fadump/release_mem" does: firmware forgets the dump, /proc/vmcore is gone, and the memory that was kept for it is free. The reserved area stays, so the machine can register and crash again without a reboot. Save the dump first.',
      'The kernel also frees the last page of the reserved area, which it will write to at the next registration; here that page stays reserved.',
    ],
    examples: [{ text: 'After the dump is saved:', command: '$ fadump release machine.img' }],
    exit: [['4', 'The machine does not run its capture kernel.']],
    seeAlso: ['boot-capture', 'save', 'register'],
  },
  filter: {
    description: [
      "Which pages stay is decided by the kernel's own struct pages, read through its page tables, so the dump needs VMCOREINFO for levels above 1. Nothing is asked of the host: a dump of any architecture is filtered on any. The letters are makedumpfile(8)'s, and so are the counts.",
      'The output is a kdump-compressed file, or with -E an ELF core file, in which memory that was left out is the part of a segment without file data. It is written under a temporary name, read back (it opens, has as many pages as were written, and leads to the name of the kernel), made durable, and only then given its name. The number of worker threads does not change a byte of it.',
      'With several outputs and --split they are written at the same time, each with the pages of one stretch of memory; --reassemble makes one dump of them. A source may be such parts, too: all names but the last are read.',
      'With -R a flattened stream, from standard input or a file, becomes the file it describes; it must have come whole, or nothing is kept. --dump-dmesg writes the kernel log, --vtop translates an address by the page tables, --mem-usage counts the pages of each kind: as makedumpfile prints them, but of any dump of any machine.',
      'With -R a flattened stream, from standard input or a file, becomes the file it describes; it must have come whole, or nothing is kept. --dump-dmesg writes the kernel log, --vtop translates an address by the page tables, --mem-usage counts the pages of each kind: as makedumpfile prints them, but of any dump of any machine.',
      'A dump whose VMCOREINFO is missing or lacks something can be read with that of its kernel from elsewhere: -x takes the vmlinux, by its symbols and BTF, -i a text that -g wrote. What the dump itself says counts first, and a file of another kernel is refused.',
      '--dry-run counts every page, packs some of them, and tells what the output would take with every codec.',
      'When the output does not fit, on the disk or into --size-limit, it is tried again at the next level of -d; what fits at the last one stays as OUTPUT.incomplete, which can be analyzed, and the exit code is 5.',
      'A dump that was filtered before can be filtered again; levels add up. Pages that cannot be read are marked in a kdump file, are zeros in an ELF file, are counted, and make the exit code 6.',
      'With --config data are erased that makedumpfile.conf(5) names: overwritten with X, or a pointer set to NULL, in every form of output, and recorded in it as makedumpfile does. No debug information is needed: the kernel carries its symbols (kallsyms) and types (BTF), but not which type a variable has. Well-known variables have theirs; of others give the size, or declare them as their source does, a line like: declare struct s1 *table[100]. A configuration that does not fit the kernel ends with exit code 2 before anything is written; data that a damaged dump does not lead to are told, and the exit code is 6.',
      'Firmware and boot loaders have been seen overwriting struct pages. What such records say is not believed: their pages are kept, counted and told, and the exit code is 6; with --strict such a dump is refused.',
    ],
    examples: [
      { text: 'What kdump does:', command: '$ fadump filter -l --message-level 7 -d 31 /proc/vmcore vmcore' },
      {
        text: 'Through a pipe, to be put together on the other side:',
        command: "$ fadump filter -F -c -d 31 vmcore | ssh host 'fadump filter -R vmcore'",
      },
      { text: 'A kdump file as an ELF core file:', command: '$ fadump filter -E vmcore vmcore.elf' },
      {
        text: 'Without the command line and the names of modules:',
        command: [
          '$ cat erase.conf',
          'erase saved_command_line',
          'for m in modules within module:list',
          '  erase m.name',
          'endfor',
          '$ fadump filter -l -d 31 --config erase.conf vmcore vmcore.clean',
        ].join('\n'),
      },
    ],
    exit: [
      [
        '3',
        'The dump is damaged, or a level above 1 was asked for and it does not say where its struct pages are.',
      ],
      ['5', 'The disk is full, the size limit is reached, or the reader of the pipe has gone.'],
    ],
    seeAlso: ['save', 'analyze'],
  },
  save: {
    description: [
      'Makes what kdump makes: a directory below the given one, named after the crashed host (its name is in the dump) and the time of the crash in UTC. Where that name is taken, a number is added; the directory of another crash is never written to.',
      'The kernel log comes first, because it is small and may be all there is room for: it is on disk under its name before the dump begins. Then the dump, filtered to level 31 and compressed with zlib unless told otherwise, the crash report, and last the checksums. A directory with SHA256SUMS is whole.',
      'While the dump is written it is ".vmcore.incomplete". When it cannot be finished, that file goes away and the log stays; when it did not fit, the report is still tried.',
      'A log or report that cannot be had does not keep the dump from being saved; a warning says so, and the exit code is 6.',
    ],
    files: [
      ['vmcore-dmesg.txt', 'The kernel log. Control characters are escaped.'],
      ['vmcore', 'The dump, kdump-compressed.'],
      ['analysis.txt', 'What fadump analyze says.'],
      ['SHA256SUMS', 'For sha256sum --check. Written when all other files are whole.'],
    ],
    examples: [
      {
        text: 'As a capture environment does it:',
        command: '# fadump save /proc/vmcore /var/crash',
      },
      {
        text: 'Is what arrived what was sent?',
        command: '$ cd /var/crash/HOST-2026-11-23-15:20:18 && sha256sum --check SHA256SUMS',
      },
    ],
    exit: [
      ['5', 'The dump is not there: no space, or the directory cannot be written to. The log may be.'],
      ['6', 'The dump is there; the log, the report or some pages are not, or not wholly.'],
    ],
    seeAlso: ['filter', 'analyze'],
  },
  demo: {
    description: [
      'The machine is real: Linux 7.2 on ppc64le with 1280 MiB, its memory taken a few seconds before it was crashed. Each step is a command line as a user would type it, followed by what the command prints; the same implementation runs. Of the kernel log only the last lines are shown.',
      'Needs less than a minute and about 100 MiB of disk. The files stay, so that the commands can be tried on them.',
    ],
    files: [
      ['machine.img', 'The machine, running its capture kernel.'],
      ['elfcorehdr', 'The ELF core header of its /proc/vmcore.'],
      ['vmcore.kdump', 'The dump without the pages nobody needs.'],
      ['crash', 'The crash as saved, one directory for every demo.'],
    ],
    examples: [
      {
        text: 'Run it, then look into the files:',
        command: '$ fadump demo\n$ fadump status demo-out/machine.img\n$ crash vmlinux demo-out/vmcore.kdump',
      },
    ],
    seeAlso: ['create', 'register', 'trigger', 'boot-capture', 'save', 'analyze'],
  },
  analyze: {
    description: [
      'Everything is read from the memory in the dump: the kernel log, the notes of the CPUs, the pages. No vmlinux, no debugging information and no host of the same architecture is needed. What one part of the report needs and the dump does not have costs that part only; the report says why.',
      'The cause is the earliest line of the log that can have killed the machine; the panic is often only its consequence. The log is taken from the kernel alone: what user space wrote to /dev/kmsg is shown and never believed.',
      'Registers come with the number of their CPU. Notes do not carry it: exact, likely and guess say how far it can be trusted, and from what it follows.',
      'Sections: panic (what happened), machine (kernel, host, times, command line), cpus (registers), memory (pages by use), dump (format, pages, proof of address translation), log.',
      'JSON follows docs/schema/report.schema.json.',
    ],
    examples: [
      { text: 'The report, a screen at a time:', command: '$ fadump analyze vmcore | less' },
      {
        text: 'The last words of a crash:',
        command: '$ fadump analyze --json vmcore | jq -r .panic.message',
      },
      { text: 'The kernel log alone:', command: '$ fadump analyze --section log vmcore' },
    ],
    exit: [['6', 'The dump was cut short, or a part of the report could not be read.']],
    seeAlso: ['filter', 'save'],
  },
}
