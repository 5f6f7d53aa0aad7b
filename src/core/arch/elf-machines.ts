/** ELF e_machine values (elf.h) of the machines that are told apart somewhere; archList has those we can read. */
export const elfMachines = {
  i386: 3,
  ppc: 20,
  ppc64: 21,
  s390x: 22,
  arm: 40,
  x86_64: 62,
  aarch64: 183,
  riscv64: 243,
} as const
