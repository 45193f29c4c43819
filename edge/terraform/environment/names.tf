# Everything that is made comes from edge/bindings.json. This file needs no provider.

locals {
  list    = jsondecode(file("${path.module}/../../bindings.json"))
  workers = { for worker in local.list.workers : worker.name => worker }

  scripts = { for name, worker in local.workers : name => "${name}-${var.environment}" }
  routed  = [for name, worker in local.workers : local.scripts[name] if worker.routed]

  # A queue's consumer, by the queue.
  consumers = merge([
    for name, worker in local.workers : {
      for queue in worker.queues : queue.queue => merge(queue.consumer, { script = local.scripts[name] })
      if can(queue.consumer.maxBatchSize)
    }
  ]...)

  bound = toset(flatten([for worker in local.list.workers : [for queue in worker.queues : queue.queue]]))
  dead  = toset([for consumer in local.consumers : consumer.deadLetterQueue if can(length(consumer.deadLetterQueue))])

  queues = { for name in setunion(local.bound, local.dead) : name => "${name}-${var.environment}" }

  buckets = {
    for name in toset(flatten([for worker in local.list.workers : [for bucket in worker.r2 : bucket.bucket]])) :
    name => "${name}-${var.environment}"
  }

  # What is deleted with time, by the bucket; the same rule of two Workers is one.
  lifecycles = {
    for name in keys(local.buckets) : name => distinct(flatten([
      for worker in local.list.workers : [
        for bucket in worker.r2 : try(bucket.lifecycle, []) if bucket.bucket == name
      ]
    ]))
  }

  namespaces = {
    for name in toset(flatten([for worker in local.list.workers : [for kv in worker.kv : kv.namespace]])) :
    name => "${name}-${var.environment}"
  }

  crons = {
    for name, worker in local.workers : local.scripts[name] => worker.crons
    if length(worker.crons) > 0
  }
}
