"""Cinder without storage: a volume is its row in the database."""
from cinder import interface
from cinder.volume import driver


def _nothing(self, *args, **kwargs):
    """Done already: there is no storage to do it on."""


@interface.volumedriver
class RowDriver(driver.VolumeDriver):
    VERSION = '1'

    check_for_setup_error = _nothing
    create_volume = delete_volume = extend_volume = _nothing
    create_volume_from_snapshot = create_cloned_volume = _nothing
    create_snapshot = delete_snapshot = _nothing
    create_export = ensure_export = remove_export = _nothing
    terminate_connection = _nothing

    def initialize_connection(self, volume, connector):
        return {'driver_volume_type': 'fake', 'data': {'volume_id': volume.id}}

    def clone_image(self, context, volume, location, meta, service):
        """A volume from an image: says the storage copied it by itself."""
        return {}, True

    def _update_volume_stats(self):
        self._stats = {
            'volume_backend_name': self.configuration.volume_backend_name,
            'vendor_name': 'lab', 'driver_version': self.VERSION,
            'storage_protocol': 'fake', 'total_capacity_gb': 'infinite',
            'free_capacity_gb': 'infinite', 'reserved_percentage': 0}
