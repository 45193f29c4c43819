# No resource of the provider can express a script with WebAssembly modules and Durable Object migrations.
module "publish" {
  source = "../publish"

  account_id = var.account_id
  bindings   = abspath("${path.module}/../../bindings.json")
  bundles    = { for worker in local.list.workers : worker.name => abspath("${var.bundles}/${worker.bundle}") }
  folder     = abspath(var.bundles)
  values     = abspath(var.values)
  twistctl   = var.twistctl

  # A script is bound to these.
  depends_on = [
    cloudflare_queue.queue,
    cloudflare_r2_bucket.bucket,
    cloudflare_workers_kv_namespace.namespace,
  ]
}
