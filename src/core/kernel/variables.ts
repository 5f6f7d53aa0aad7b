// Types of the kernel's well-known variables, as its source declares them: BTF has them only for per-CPU
// ones. What a kernel declares otherwise is not here. Source: Linux init/init_task.c, kernel/module/main.c,
// kernel/printk/printk.c and others.

import { type Declaration, parseDeclaration } from './c-type.ts'

const declarations = [
  'struct task_struct init_task',
  'struct pid_namespace init_pid_ns',
  'struct user_namespace init_user_ns',
  'struct uts_namespace init_uts_ns',
  'struct net init_net',
  'struct mm_struct init_mm',
  'struct cred init_cred',
  'struct list_head modules',
  'struct list_head btf_modules',
  'struct list_head bpf_kallsyms',
  'struct list_head slab_caches',
  'struct list_head super_blocks',
  'struct list_head net_namespace_list',
  'struct list_head workqueues',
  'struct printk_ringbuffer *prb',
  'struct printk_ringbuffer printk_rb_static',
  'struct kmem_cache *cred_jar',
  'struct kmem_cache *key_jar',
  'char *saved_command_line',
  'char *static_command_line',
  'char boot_command_line[]',
  'char linux_banner[]',
  'char *log_buf',
  'char *dmi_ident[]',
  'unsigned long tainted_mask',
  'unsigned long jiffies',
  'u64 jiffies_64',
  'unsigned long avenrun[3]',
  'unsigned int nr_cpu_ids',
  'struct cpumask __cpu_possible_mask',
  'struct cpumask __cpu_online_mask',
  'struct cpumask __cpu_present_mask',
  'unsigned long __per_cpu_offset[]',
  'unsigned long page_offset_base',
  'unsigned long vmalloc_base',
  'unsigned long vmemmap_base',
  'unsigned long phys_base',
  'atomic_long_t _totalram_pages',
  'atomic_long_t nr_swap_pages',
  'struct pglist_data *node_data[]',
  'struct pglist_data contig_page_data',
  'int panic_on_oops',
  'int panic_timeout',
]

export const knownVariables: ReadonlyMap<string, Declaration> = new Map(
  declarations.flatMap((text) => {
    const declaration = parseDeclaration(text)
    return declaration === undefined ? [] : [[declaration.name, declaration]]
  }),
)
