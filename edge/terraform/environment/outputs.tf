output "scripts" {
  description = "Scripts by Worker."
  value       = local.scripts
}

output "buckets" {
  description = "Buckets by name in the list."
  value       = local.buckets
}

output "queues" {
  description = "Queues by name in the list, dead-letter queues among them."
  value       = local.queues
}
